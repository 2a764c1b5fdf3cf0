import { equal, ok } from 'node:assert/strict'
import {
  formatNetwork,
  holds,
  isWholeNetwork,
  parseNetwork,
  type Network,
} from '../src/lib/network.js'

const network = (text: string): Network => {
  const parsed = parseNetwork(text)
  ok(parsed, text)
  return parsed
}

describe('networks', () => {
  for (const [text, want] of [
    ['10.77.0.0/24', '10.77.0.0/24'],
    ['10.77.0.1', '10.77.0.1/32'],
    ['::', '::/128'],
    ['fd00::1:2/64', 'fd00::1:2/64'],
    ['::ffff:10.0.0.1/96', '::ffff:a00:1/96'],
    ['0.0.0.0/0', '0.0.0.0/0'],
  ] as const)
    it(`read ${text}`, () => equal(formatNetwork(network(text)), want))

  for (const text of ['', '10.77.0.0/33', '10.77/16', 'fe80::1%eth0', '10.0.0.1/', '::/129', 'all'])
    it(`do not read ${JSON.stringify(text)}`, () => equal(parseNetwork(text), undefined))

  for (const [outer, inner, isHeld] of [
    ['10.77.0.0/24', '10.77.0.255', true],
    ['10.77.0.0/24', '10.77.1.0', false],
    ['10.77.0.0/24', '10.77.0.0/23', false],
    ['0.0.0.0/0', '::1', false],
    ['::/0', 'fd00::1', true],
    ['10.77.0.9/24', '10.77.0.1', true],
  ] as const)
    it(`${outer} ${isHeld ? 'holds' : 'does not hold'} ${inner}`, () =>
      equal(holds(network(outer), network(inner)), isHeld))

  it('are whole when nothing is set behind the prefix', () => {
    ok(isWholeNetwork(network('10.77.0.0/24')))
    ok(!isWholeNetwork(network('10.77.0.1/24')))
  })
})
