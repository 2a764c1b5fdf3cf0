import { deepEqual } from 'node:assert/strict'
import { listensEverywhere } from '../../src/lib/access/audit/rules/listens-everywhere.js'
import type { AccessList, AuditParts } from '../../src/lib/access/audit/types.js'

describe('the rule about listening everywhere', () => {
  const table: [addresses: string, isFound: boolean][] = [
    ['*', true],
    ['0.0.0.0', true],
    ['::', true],
    ['10.77.0.11, ::', true],
    ['localhost', false],
    ['10.77.0.11,127.0.0.1', false],
    ['', false],
  ]
  for (const [addresses, isFound] of table)
    it(`${isFound ? 'finds' : 'passes'} listen_addresses ${JSON.stringify(addresses)}`, () => {
      const settings = new Map([['listen_addresses', addresses]])
      // The rule needs nothing else, and says so.
      const found = listensEverywhere.find({ settings } as unknown as AuditParts, {} as AccessList)
      deepEqual([found.length > 0, listensEverywhere.needs], [isFound, ['settings']])
    })
})
