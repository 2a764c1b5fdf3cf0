import assert from 'node:assert/strict'
import type { SeenPostgresql } from '../../src/lib/cluster/ask.js'
import { offsetOf } from '../../src/lib/cluster/ask.js'
import { bytesBehind } from '../../src/lib/cluster/lsn.js'
import { describeCluster } from '../../src/lib/cluster/describe.js'
import type { SeenCluster, SeenHost } from '../../src/lib/cluster/read.js'
import type { Backup, StanzaInfo } from '../../src/lib/backup/info.js'
import type { DrillRow } from '../../src/lib/drill/store.js'
import type { HostRow } from '../../src/lib/host/store.js'

const NOW = new Date('2026-11-25T12:00:00Z')
const DAY_MS = 86_400_000
const LIMITS = { maxLagMs: 30_000, maxBackupAgeMs: 6 * 3_600_000, maxDrillAgeMs: 7 * DAY_MS }

const row = (name: string, location: string | null): HostRow => ({
  id: name,
  name,
  role: name === 'bak1' ? 'backup' : 'database',
  address: name,
  port: 22,
  username: 'postgres',
  hostKey: { type: 'ssh-ed25519', fingerprint: '' },
  location,
  stanza: 'main',
  postgresql: name === 'bak1' ? null : { port: 5432, dataDirectory: '/data' },
  snapshot: null,
  basebackup: null,
  identity: null,
  addedAt: NOW,
  verifiedAt: NOW,
})

const facts = (isPrimary: boolean): SeenPostgresql => ({
  version: 150_018,
  isInRecovery: !isPrimary,
  systemIdentifier: '7',
  timeline: 1,
  lsn: '0/3000000',
  replayLsn: isPrimary ? null : '0/3000000',
  replayedSeconds: 0,
  receiver: isPrimary ? null : 'streaming',
  hasChecksums: true,
  dataDirectory: '/var/lib/postgresql/15/main',
  walSegmentBytes: 16 * 1024 ** 2,
  synchronousNames: '',
  standbys: [],
  slots: isPrimary ? [{ name: 'db2', active: true, walStatus: 'reserved', retainedBytes: 0 }] : [],
  archiver: {
    mode: 'on',
    lastArchivedWal: '000000010000000000000002',
    lastArchivedSeconds: 20,
    lastFailedWal: null,
    lastFailedSeconds: null,
    readyCount: 0,
    oldestReadySeconds: null,
  },
})

const backup = (stoppedAt: string): Backup => ({
  label: '20261125-110000F',
  type: 'full',
  prior: null,
  repository: 1,
  startedAt: stoppedAt,
  stoppedAt,
  databaseBytes: 1,
  repositoryBytes: 1,
  archive: '15-1',
  walStart: '',
  walStop: '',
  lsnStop: '0/0',
  hasErrors: false,
})

/** What a healthy estate looks like, to be spoilt. */
interface Healthy {
  cluster: SeenCluster
  db1: SeenHost
  db2: SeenHost
  primary: SeenPostgresql
  standby: SeenPostgresql
  stanza: StanzaInfo
  drills: DrillRow[]
}

const drill = (endedAt: Date, result: DrillRow['result'] = 'proven'): DrillRow => ({
  kind: 'backup',
  stanza: 'main',
  host: 'bak1',
  subject: '20261125-110000F',
  result,
  begunAt: endedAt,
  endedAt,
})
const daysAgo = (days: number) => new Date(NOW.getTime() - days * DAY_MS)

function healthy(): Healthy {
  const [primary, standby] = [facts(true), facts(false)]
  const host = (name: string, seen: SeenPostgresql): SeenHost => ({
    host: row(name, 'hall-1'),
    seen: { state: 'up', facts: seen, clockOffsetMs: 0 },
    lag: seen.isInRecovery ? { bytes: 0, seconds: 0 } : undefined,
  })
  const [db1, db2, db3] = [host('db1', primary), host('db2', standby), host('db3', facts(false))]
  const stanza: StanzaInfo = {
    status: { code: 0, message: 'ok' },
    isBackingUp: false,
    isReceiving: null,
    systemIdentifier: '7',
    repositories: [{ number: 1, code: 0, message: 'ok', isEncrypted: true }],
    backups: [backup('2026-11-25T11:00:00Z')],
    archives: [],
  }
  const cluster: SeenCluster = {
    databases: [db1, db2, db3],
    backup: { host: row('bak1', 'hall-2'), stanza },
    notChecked: [],
  }
  return { cluster, db1, db2, primary, standby, stanza, drills: [drill(daysAgo(7))] }
}

/** Name of the case, what is spoilt, and the problems as `code@host`. */
const CASES: [string, (estate: Healthy) => unknown, string[]][] = [
  ['a healthy estate', () => undefined, []],
  ['a lag just under the limit', ({ db2 }) => (db2.lag = { bytes: 9, seconds: 30 }), []],
  ['a lag over the limit', ({ db2 }) => (db2.lag = { bytes: 9, seconds: 30.5 }), ['lag@db2']],
  ['two primaries', ({ standby }) => (standby.isInRecovery = false), ['split-brain@']],
  [
    'no primary',
    ({ primary }) => (primary.isInRecovery = true),
    ['no-primary@', 'not-streaming@db1'],
  ],
  ['no drill yet', ({ drills }) => drills.splice(0), ['no-drill@bak1']],
  [
    'no drill for a week',
    ({ drills }) => drills.splice(0, 1, drill(daysAgo(7.01))),
    ['no-drill@bak1'],
  ],
  [
    'a drill that failed after one that did not',
    ({ drills }) => drills.push(drill(daysAgo(1), 'failed')),
    ['drill-failed@bak1'],
  ],
  [
    'a drill of a snapshot that failed, and one that proved another',
    ({ drills }) =>
      drills.push(
        { ...drill(daysAgo(2), 'failed'), kind: 'snapshot', host: 'db2' },
        { ...drill(daysAgo(1)), kind: 'snapshot', host: 'db1' },
      ),
    ['drill-failed@db2'],
  ],
  [
    'a drill of a snapshot that failed, before one that did not',
    ({ drills }) =>
      drills.push(
        { ...drill(daysAgo(2), 'failed'), kind: 'snapshot', host: 'db2' },
        { ...drill(daysAgo(1)), kind: 'snapshot', host: 'db2' },
      ),
    [],
  ],
  [
    'a drill that could not look, after an old one that did',
    ({ drills }) => drills.splice(0, 1, drill(daysAgo(8)), drill(NOW, 'not-checked')),
    ['no-drill@bak1'],
  ],
  ['a silent primary', ({ db1 }) => (db1.seen = undefined), ['no-primary@']],
  [
    'a server that is down',
    ({ db2 }) => {
      db2.seen = { state: 'down', reason: 'refused', clockOffsetMs: 0 }
      db2.lag = undefined
    },
    ['postgresql-down@db2', 'few-copies@'],
  ],
  [
    'a standby without a stream',
    ({ standby }) => (standby.receiver = null),
    ['not-streaming@db2', 'few-copies@'],
  ],
  [
    'a standby of another cluster',
    ({ standby }) => (standby.systemIdentifier = '8'),
    ['foreign-cluster@db2', 'few-copies@'],
  ],
  [
    'a standby on a former timeline',
    ({ primary }) => (primary.timeline = 2),
    ['other-timeline@db2', 'other-timeline@db3'],
  ],
  [
    'a slot that nobody reads',
    ({ primary }) =>
      (primary.slots[0] = { name: 'db2', active: false, walStatus: 'reserved', retainedBytes: 1 }),
    ['slot-inactive@db1'],
  ],
  [
    'a slot that lost WAL',
    ({ primary }) =>
      (primary.slots[0] = { name: 'db2', active: false, walStatus: 'lost', retainedBytes: null }),
    ['slot-lost@db1'],
  ],
  [
    'no synchronous standby',
    ({ primary }) => (primary.synchronousNames = 'db2'),
    ['no-synchronous-standby@db1'],
  ],
  [
    'a synchronous standby',
    ({ primary }) => {
      primary.synchronousNames = 'db2'
      primary.standbys = [{ name: 'db2', address: null, state: 'streaming', syncState: 'sync' }]
    },
    [],
  ],
  ['archiving switched off', ({ primary }) => (primary.archiver.mode = 'off'), ['archive-off@db1']],
  [
    'an archiver that failed last',
    ({ primary }) => (primary.archiver.lastFailedSeconds = 5),
    ['archive-failing@db1'],
  ],
  [
    'an archiver that failed once and got over it',
    ({ primary }) => (primary.archiver.lastFailedSeconds = 500),
    [],
  ],
  [
    'an archiver that is silent',
    ({ primary }) => (primary.archiver.oldestReadySeconds = 301),
    ['archive-stuck@db1'],
  ],
  [
    'a clock that is ahead',
    ({ db2 }) => (db2.seen = { state: 'up', facts: facts(false), clockOffsetMs: 600_000 }),
    ['clock-off@db2'],
  ],
  ['no backup', ({ stanza }) => (stanza.backups = []), ['no-backup@bak1']],
  [
    'an old backup',
    ({ stanza }) => (stanza.backups = [backup('2026-11-25T05:59:59Z')]),
    ['backup-old@bak1'],
  ],
  [
    'a backup of damaged pages',
    ({ stanza }) => (stanza.backups = [{ ...backup('2026-11-25T11:00:00Z'), hasErrors: true }]),
    ['backup-damaged@bak1'],
  ],
  [
    'a repository that is not well',
    ({ stanza }) =>
      (stanza.repositories[0] = { number: 1, code: 99, message: 'other', isEncrypted: true }),
    ['repository@bak1'],
  ],
  [
    'a repository without a backup, beside one with a fresh one',
    ({ stanza }) =>
      stanza.repositories.push({ number: 2, code: 2, message: 'none', isEncrypted: true }),
    ['no-backup@bak1'],
  ],
  [
    'backups of another cluster',
    ({ stanza }) => (stanza.systemIdentifier = '8'),
    ['backup-foreign@bak1'],
  ],
  [
    'no backup machine',
    ({ cluster }) => (cluster.backup = undefined),
    ['no-backup-host@', 'one-location@'],
  ],
  [
    'one place for everything',
    ({ cluster }) =>
      (cluster.backup = cluster.backup && { ...cluster.backup, host: row('bak1', 'hall-1') }),
    ['one-location@'],
  ],
  [
    'a place that nobody named',
    ({ cluster }) =>
      (cluster.backup = cluster.backup && { ...cluster.backup, host: row('bak1', null) }),
    [],
  ],
]

describe('judging a cluster', () => {
  for (const [name, spoil, wanted] of CASES)
    it(`finds ${wanted.length === 0 ? 'nothing' : wanted.join(', ')} in ${name}`, () => {
      const estate = healthy()
      spoil(estate)
      const { problems } = describeCluster(estate.cluster, 'main', {
        limits: LIMITS,
        drills: estate.drills,
        snapshots: [],
        now: NOW,
      })
      assert.deepEqual(
        problems.map(({ code, host }) => `${code}@${host ?? ''}`),
        wanted,
      )
    })

  it('knows how far one place in the WAL is behind another', () => {
    assert.equal(bytesBehind('0/FFFFFFFF', '1/0'), 1)
    assert.equal(bytesBehind('16/B374D848', '16/B374D848'), 0)
    assert.equal(bytesBehind('2/0', '1/0'), 0)
  })

  it('holds nothing against a clock that the way to the host explains', () => {
    assert.deepEqual(
      [offsetOf(150, 100, 200), offsetOf(50, 100, 200), offsetOf(250, 100, 200)],
      [0, -50, 50],
    )
  })
})
