import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { accessList } from '../../../src/lib/access/audit/list.js'
import type { RoleRow } from '../../../src/lib/access/audit/server-store.js'
import type { ReadParts } from '../../../src/lib/access/audit/server.js'
import { planLines } from '../../../src/lib/access/enforce/lines.js'
import { attemptOf } from '../../../src/lib/access/enforce/lockout.js'
import { withoutLine } from '../../../src/lib/access/hba/without-line.js'
import type { Attempt } from '../../../src/lib/access/hba/types.js'
import { ruleOf } from '../hba/rule.js'
import { account, NOW, role, session } from './sample.js'

const GRANT = {
  ...{ state: 'ACTIVE', endsAt: new Date('2026-06-01T14:00:00Z'), isReadOnly: true },
  ...{ databases: ['fleet'], method: 'certificate' as const },
}
const LIST = accessList(
  [
    account({ kind: 'service-account', handle: 'root', roleNames: ['postgres'], until: null }),
    account({
      ...{ kind: 'service-account', handle: 'app', roleNames: ['app'], until: null },
      networks: ['10.0.0.0/24'],
    }),
    account({ handle: 'ana@example.com', networks: ['10.0.1.7/32'] }),
    account({ handle: 'bea@example.com' }),
  ],
  NOW,
  [
    { ...GRANT, role: 'g_ana', email: 'ana@example.com' },
    { ...GRANT, role: 'g_bea', email: 'bea@example.com' },
    { ...GRANT, role: 'g_over', email: 'ana@example.com', state: 'ENDED' },
  ],
)
const OWN = attemptOf({ role: 'postgres', database: 'fleet', address: null, isEncrypted: false })
const SOUND = ['local all postgres peer', 'hostssl fleet app 10.0.0.0/24 scram-sha-256']

function plan(
  lines: readonly string[],
  given: {
    sessions?: ReturnType<typeof session>[]
    keepers?: Attempt[]
    isUnread?: true
    roles?: RoleRow[]
    hasNoTls?: true
  } = {},
) {
  const rules = lines.map((line, at) => ruleOf(line, at))
  const { sessions = [], keepers = [OWN], isUnread = false } = given
  const server = { version: 150_000, isStandby: false, auditor: 'postgres' }
  const loadedAt = new Date('2026-06-01T00:00:00Z')
  const parts = {
    ...{ hba: { rows: [], rules, interfaces: [] }, server, memberships: [], sessions },
    roles: [
      role('postgres', { isSuperuser: true, isBootstrap: true }),
      role('app'),
      ...(given.roles ?? []),
    ],
    settings: new Map([['ssl', given.hasNoTls ? 'off' : 'on']]),
    databases: [{ name: 'fleet', isOpenToPublic: false, isTemporaryOpen: false, creators: [] }],
    loadTimes: { writtenAt: isUnread ? NOW : loadedAt, loadedAt },
  } as unknown as ReadParts
  const guarded = {
    host: 'db1',
    parts: { hba: { rows: [], rules, interfaces: [] }, server, memberships: [] },
    keepers,
  }
  const made = planLines({ host: 'db1', parts }, guarded, { list: LIST, acceptances: [] })
  return {
    fixes: made.changes.map(({ fix }) => fix),
    left: made.left.map(({ subject, reason }) => `${subject}: ${reason}`),
  }
}

describe('the plan by which lines of pg_hba.conf go', () => {
  const table: [what: string, lines: string[], fixes: string[], left: string[]][] = [
    ['nothing goes where nothing is wrong', SOUND, [], []],
    [
      'a line for nobody on the list goes, and one for a role that is not there',
      [...SOUND, 'host fleet stranger 0.0.0.0/0 trust', 'local fleet former peer'],
      [
        'pg_hba.conf line 4: take out local fleet former peer',
        'pg_hba.conf line 3: take out host fleet stranger 0.0.0.0 0.0.0.0 trust',
      ],
      [],
    ],
    [
      'a wide line stays by which somebody on the list comes in',
      [SOUND[0] ?? '', 'hostssl fleet all 0.0.0.0/0 scram-sha-256'],
      [],
      ['pg_hba.conf line 2: app comes in by it'],
    ],
    [
      'a line for connections without TLS stays where somebody on the list may use it',
      [...SOUND, 'host fleet app 10.0.0.0/24 scram-sha-256'],
      [],
      ['pg_hba.conf line 3: app comes in by it'],
    ],
    [
      'a line stays without which others would come in by less',
      [...SOUND, 'host fleet former 10.9.0.1/32 md5', 'host all all 10.0.0.0/8 trust'],
      [],
      [
        'pg_hba.conf line 4: app comes in by it',
        'pg_hba.conf line 3: without it line 4 would let in by trust',
      ],
    ],
  ]
  for (const [what, lines, fixes, left] of table)
    it(what, () => {
      deepEqual(plan(lines), { fixes, left })
    })

  it('leaves a line by which replication or somebody on the list is in at this moment', () => {
    const lines = [...SOUND, 'host all,replication all 10.9.0.0/16 trust']
    const copier = { role: 'copier', address: '10.9.0.1', isEncrypted: false }
    deepEqual(plan(lines, { keepers: [OWN, attemptOf({ ...copier, database: null })] }), {
      fixes: [],
      left: ['pg_hba.conf line 3: copier comes in by it'],
    })
    const sessions = [session('app', { address: '10.9.0.2' })]
    deepEqual(plan(lines, { sessions }).left, ['pg_hba.conf line 3: app comes in by it'])
    equal(plan(lines).fixes.length, 1)
  })

  it('leaves a line by which a role that may replicate comes in, although it is away and on no list', () => {
    const lines = [...SOUND, 'hostssl replication copier 10.9.0.1/32 scram-sha-256']
    const roles = [role('copier', { canReplicate: true })]
    deepEqual(plan(lines, { roles }), {
      fixes: [],
      left: ['pg_hba.conf line 3: a standby or a backup may come in by it as copier'],
    })
  })

  it('loads a file that was changed where its lines keep nobody out, and takes out none before', () => {
    const lines = [...SOUND, 'host fleet stranger 10.9.0.1/32 trust']
    deepEqual(plan(lines, { isUnread: true }), {
      fixes: ['select pg_reload_conf()'],
      left: ['pg_hba.conf line 3: pg_hba.conf was changed and is not in force'],
    })
    deepEqual(plan(lines.slice(1), { isUnread: true }).fixes, [])
  })

  describe('and those of grants are written anew', () => {
    const ofAna = 'hostssl "fleet" "g_ana" 10.0.1.7/32 cert'
    const END = 'host all +cleverctl_granted all reject'
    const fix = `pg_hba.conf, at its top: ${ofAna}; ${END}`
    const roles = [role('g_ana')]
    const cert = 'hostssl fleet g_ana 10.0.1.7/32 cert'
    const changed: [what: string, lines: string[], fixes: string[]][] = [
      ['not where they are as granted', [cert, ...SOUND], []],
      ['where there is none', SOUND, [fix]],
      ['where one asks for a password', [cert.replace('cert', 'scram-sha-256'), ...SOUND], [fix]],
      ['where one takes the certificate of another', [`${cert} map=x`, ...SOUND], [fix]],
      ['where a wider one stands above', ['hostssl fleet g_ana,app 10.0.0.0/23 md5', cert], [fix]],
      ['where one has another network, too', [cert, 'hostssl fleet g_ana 10.0.2.0/24 cert'], [fix]],
      [
        'where one has another database, too',
        [cert, 'hostssl other g_ana 10.0.1.7/32 cert'],
        [fix],
      ],
      ['where one takes plain text, too', [cert, 'host fleet g_ana 10.0.1.7/32 cert'], [fix]],
    ]
    for (const [what, lines, fixes] of changed)
      it(what, () => {
        deepEqual(
          plan(lines, { roles }).fixes.filter((each) => each === fix),
          fixes,
        )
      })

    it('and left where that cannot be done', () => {
      deepEqual(plan(SOUND, { roles, hasNoTls: true }).left, ['role g_ana: the server has no TLS'])
      const wide = [...SOUND, 'hostssl fleet all 10.0.9.0/24 scram-sha-256']
      ok(
        plan(wide, { roles: [role('g_bea')] }).left.includes(
          'role g_bea: bea@example.com has no network on the list',
        ),
      )
      deepEqual(plan(SOUND, { roles, isUnread: true }).left, [
        'role g_ana: pg_hba.conf was changed and is not in force',
      ])
    })

    it('and one that outlived its grant goes', () => {
      const closed = [role('g_over', { canLogin: false })]
      deepEqual(plan([...SOUND, 'hostssl fleet g_over 10.0.1.7/32 cert'], { roles: closed }), {
        fixes: ['pg_hba.conf line 3: take out hostssl fleet g_over 10.0.1.7 255.255.255.255 cert'],
        left: [],
      })
    })
  })

  it('takes out that line alone, and none that is another by now', () => {
    const text = '# café\nlocal all postgres peer\r\nhost "a b",c all 0.0.0.0/0 trust # x\n'
    const second = ruleOf('local all postgres peer', 1)
    equal(withoutLine(text, second), '# café\nhost "a b",c all 0.0.0.0/0 trust # x\n')
    throws(() => withoutLine(text, { ...second, line: 3 }), SyntaxError)
    throws(() => withoutLine('\nlocal all postgres peer \\\n', second), SyntaxError)
  })
})
