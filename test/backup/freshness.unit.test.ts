import assert from 'node:assert/strict'
import { inRepository, readStanza, type StanzaInfo } from '../../src/lib/backup/info.js'
import { judgeBackups, lastBackups } from '../../src/lib/backup/judge-backups.js'

const NOW = new Date('2026-11-25T12:00:00Z')
const HOUR_MS = 3_600_000
const STATUS = { ok: 0, noStanza: 1, noBackup: 2, mixed: 4, mismatch: 5, other: 99 }
const WORDS: Record<number, string> = {
  0: 'ok',
  1: 'missing stanza path',
  2: 'no valid backups',
  4: 'different across repos',
  5: 'database mismatch across repos',
  99: '[FileOpenError] permission denied',
}

/** A repository as pgBackRest tells of it: its state, and how old its backups are. */
interface Told {
  code?: number
  hours?: readonly number[]
  hasErrors?: boolean
}

/** What pgBackRest's `info` says of such repositories, read. */
function stanza(repositories: readonly Told[], status: number = STATUS.ok): StanzaInfo {
  const word = (code: number) => ({ code, message: WORDS[code] })
  const backup = repositories.flatMap(({ hours = [], hasErrors = false }, index) =>
    hours.map((age) => ({
      label: `repository ${index + 1}, ${age} h`,
      type: 'full',
      prior: null,
      database: { id: 1, 'repo-key': index + 1 },
      timestamp: { start: 0, stop: (NOW.getTime() - age * HOUR_MS) / 1000 },
      info: { size: 1, repository: { delta: 1 } },
      archive: { start: null, stop: null },
      error: hasErrors,
    })),
  )
  const repo = repositories.map(({ code = STATUS.ok }, index) => ({
    key: index + 1,
    status: word(code),
  }))
  return readStanza(JSON.stringify([{ status: word(status), repo, backup }]))
}

const problemsOf = (info: StanzaInfo) => judgeBackups(info, 6 * HOUR_MS, NOW)

/** The case, what is told, and the codes of the problems. */
const CASES: [name: string, info: StanzaInfo, codes: string[]][] = [
  ['a fresh backup', stanza([{ hours: [30, 1] }]), []],
  ['a fresh backup in each repository', stanza([{ hours: [1] }, { hours: [5.9] }]), []],
  ['an old one', stanza([{ hours: [6.1] }]), ['backup-old']],
  ['an old one behind a fresh one', stanza([{ hours: [1] }, { hours: [50] }]), ['backup-old']],
  ['an old one before a fresh one', stanza([{ hours: [50] }, { hours: [1] }]), ['backup-old']],
  [
    'a repository without a backup behind a fresh one',
    stanza([{ hours: [1] }, { code: STATUS.noBackup }], STATUS.mixed),
    ['no-backup'],
  ],
  ['no repository with a backup', stanza([{}, {}]), ['no-backup', 'no-backup']],
  ['no stanza', stanza([{ code: STATUS.noStanza }], STATUS.noStanza), ['no-backup']],
  [
    'a repository that cannot be read, of which nobody knows what it holds',
    stanza([{ hours: [1] }, { code: STATUS.other }], STATUS.mixed),
    ['repository'],
  ],
  [
    'damaged pages in the last one of the second repository',
    stanza([{ hours: [1] }, { hours: [3], hasErrors: true }]),
    ['backup-damaged'],
  ],
  [
    'what is said of no repository alone',
    stanza([{ hours: [1] }, { hours: [1] }], STATUS.mismatch),
    ['repository'],
  ],
  [
    'several things, the gravest first',
    stanza([{ hours: [50], hasErrors: true }, { code: STATUS.noBackup }], STATUS.mixed),
    ['no-backup', 'backup-damaged', 'backup-old'],
  ],
]

describe('judging how fresh backups are', () => {
  for (const [name, info, codes] of CASES)
    it(`finds ${codes.length === 0 ? 'nothing' : codes.join(', ')} in ${name}`, () => {
      assert.deepEqual(
        problemsOf(info).map(({ code }) => code),
        codes,
      )
    })

  it('names the repository where there are several', () => {
    const info = stanza([{ hours: [50] }, { code: STATUS.noStanza }], STATUS.mixed)
    assert.deepEqual(
      problemsOf(info).map(({ message }) => message),
      [
        'there is no backup in repository 2: missing stanza path',
        'the last backup in repository 1 is 50.0 h old, the limit is 6h',
      ],
    )
    assert.equal(info.status.message, 'repository 2: missing stanza path')
    const [first] = problemsOf(stanza([{ hours: [50] }]))
    assert.equal(first?.message, 'the last backup is 50.0 h old, the limit is 6h')
    const [young] = judgeBackups(stanza([{ hours: [0.5] }]), 60_000, NOW)
    assert.equal(young?.message, 'the last backup is 30 min old, the limit is 1m')
  })

  it('tells of one repository alone', () => {
    const info = stanza([{ hours: [1] }, { hours: [50, 8] }, { code: STATUS.other }], STATUS.mixed)
    assert.deepEqual(
      lastBackups(info, NOW).map(({ number, status, ageSeconds }) => [number, status, ageSeconds]),
      [
        [1, 'ok', 3600],
        [2, 'ok', 8 * 3600],
        [3, '[FileOpenError] permission denied', null],
      ],
    )
    assert.deepEqual(problemsOf(inRepository(info, 1, 'bak1')), [])
    const second = inRepository(info, 2, 'bak1')
    assert.deepEqual([second.backups.length, second.status.message], [2, 'ok'])
    assert.deepEqual(
      problemsOf(inRepository(info, 3, 'bak1')).map(({ code }) => code),
      ['repository'],
    )
    assert.throws(() => inRepository(info, 4, 'bak1'), { code: 'no-repository' })
  })
})
