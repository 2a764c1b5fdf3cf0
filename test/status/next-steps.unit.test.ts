import { deepEqual } from 'node:assert/strict'
import { nextSteps } from '../../src/lib/status/next-steps.js'
import type { Status } from '../../src/lib/status/types.js'

const none = { count: 0, isEstimate: false }
const some = { count: 3, isEstimate: false }
const busy: Omit<Status, 'next'> = {
  profile: 'default',
  database: { mode: 'server', description: 'postgres://staff@db.example.com/cleverctl' },
  installations: { active: 2, retired: 0, withoutKey: { total: 0, codes: [] } },
  devices: { registered: some, installed: some, revoked: none },
  installers: 1,
  apiKeys: { inGrace: 0, expiringWithin30Days: { total: 0, codes: [] } },
  signingKeys: ['ACTIVE', 'NEXT'].map((state) => ({
    kid: state,
    state,
    since: '2026-06-01T12:00:00Z',
  })),
  readings: { lastHour: some, lastDay: some },
  refusalsLastDay: [],
}

const table: [name: string, change: Partial<Status>, want: string[]][] = [
  ['nothing where all is well', {}, []],
  ['init without a signing key', { signingKeys: [] }, ['cleverctl init']],
  [
    'an installation first, on an empty set-up',
    {
      installations: { active: 0, retired: 1, withoutKey: { total: 0, codes: [] } },
      devices: { registered: none, installed: none, revoked: none },
      installers: 0,
    },
    ['cleverctl installation create', 'cleverctl device import', 'cleverctl installer add'],
  ],
  [
    'a key for the installation without one',
    { installations: { active: 2, retired: 0, withoutKey: { total: 1, codes: ['solar-0042'] } } },
    ['cleverctl api-key issue solar-0042'],
  ],
  [
    'a rotation of the key that ends first',
    {
      apiKeys: {
        inGrace: 0,
        expiringWithin30Days: { total: 2, codes: ['solar-0043', 'solar-0042'] },
      },
    },
    ['cleverctl api-key rotate solar-0043'],
  ],
  [
    'a look at refusals',
    { refusalsLastDay: [{ code: 'K_UNKNOWN', count: 1 }] },
    ['cleverctl gate refusals'],
  ],
]

describe('the next steps of status', () => {
  for (const [name, change, want] of table) {
    it(`are ${name}`, () => {
      const commands = nextSteps({ ...busy, ...change }).map(({ command }) => command)
      deepEqual(
        commands.map((command, index) => command.slice(0, want[index]?.length ?? 0)),
        want,
      )
    })
  }
})
