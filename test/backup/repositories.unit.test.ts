import assert from 'node:assert/strict'
import { judgeRepositories, type SeenByHost } from '../../src/lib/backup/judge-repositories.js'

const ARCHIVED = '00000002000000010000000A'

function seen(host: string, code: number, max: string | null = ARCHIVED): SeenByHost {
  const message = code === 0 ? 'ok' : `code ${code}`
  return {
    host,
    role: host === 'bak1' ? 'backup' : 'database',
    unverified: [],
    info: {
      repositories: [{ number: 1, code, message, isEncrypted: true }],
      backups: [],
      archives: [{ repository: 1, id: '15-1', min: max, max }],
    },
  }
}

const codes = (hosts: readonly SeenByHost[], segment: string | undefined = ARCHIVED) =>
  judgeRepositories(hosts, segment, undefined).faults.map(({ code }) => code)

describe('repositories, as the machines see them', () => {
  const rows: [string, SeenByHost[], string[]][] = [
    ['is well where all see the same', [seen('bak1', 0), seen('db1', 0)], []],
    ['has no stanza', [seen('bak1', 1), seen('db1', 3)], ['no-stanza', 'no-stanza']],
    ['has no backup', [seen('bak1', 2)], ['no-backup']],
    ['is not reached from one machine', [seen('bak1', 0), seen('db1', 99)], ['not-well']],
    ['lacks WAL', [seen('bak1', 0, '000000020000000100000009')], ['wal-behind']],
    ['ends on a former timeline', [seen('bak1', 0, '0000000100000002000000FF')], ['wal-behind']],
    ['has no WAL at all', [seen('bak1', 0, null)], ['wal-behind']],
    ['has later WAL than the primary told', [seen('bak1', 0, '00000002000000010000000B')], []],
  ]
  for (const [name, hosts, want] of rows)
    it(name, () => {
      assert.deepEqual(codes(hosts), want)
    })

  it('is exposed where it is not encrypted, or the certificate of its cloud not verified', () => {
    const bare = seen('bak1', 0)
    const [repository] = bare.info.repositories
    assert.ok(repository)
    bare.info.repositories = [{ ...repository, isEncrypted: false }]
    assert.deepEqual(codes([bare]), ['not-encrypted'])
    assert.deepEqual(codes([{ ...seen('bak1', 0), unverified: [1, 2] }]), ['tls-not-verified'])
  })

  it('names the machines from which a repository is sound', () => {
    const hosts = [seen('bak1', 0), seen('db1', 99), seen('db2', 0)]
    const { repositories } = judgeRepositories(hosts, ARCHIVED, undefined)
    assert.deepEqual(repositories[0]?.soundFrom, ['bak1', 'db2'])
    assert.deepEqual(judgeRepositories(hosts, ARCHIVED, 2), { repositories: [], faults: [] })
  })
})
