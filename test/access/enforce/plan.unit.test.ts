import { deepEqual, equal } from 'node:assert/strict'
import { accessList } from '../../../src/lib/access/audit/list.js'
import type { RoleRow, SessionRow } from '../../../src/lib/access/audit/server-store.js'
import type { ReadParts } from '../../../src/lib/access/audit/server.js'
import type { GuardedServer } from '../../../src/lib/access/enforce/lockout.js'
import { planRoles } from '../../../src/lib/access/enforce/plan.js'
import type { PlanQuestion } from '../../../src/lib/access/enforce/types.js'
import { readHbaRow } from '../../../src/lib/access/hba/read.js'
import { account, NOW, role, session } from './sample.js'

const ACCOUNTS = [
  account({ handle: 'ana@example.com', roleNames: ['ana'] }),
  account({ handle: 'eva@example.com', roleNames: ['eva'], until: null }),
  account({ handle: 'left@example.com', roleNames: ['left'], removedAt: NOW }),
  account({ handle: 'over@example.com', roleNames: ['over'], until: '2026-05-31' }),
  account({ kind: 'service-account', handle: 'app', roleNames: ['app'], until: null }),
  account({ kind: 'service-account', handle: 'root', roleNames: ['postgres'], until: null }),
]

const CLEAN = [
  role('postgres', { isSuperuser: true, isBootstrap: true, canReplicate: true, validUntil: null }),
  role('app', { validUntil: null }),
]

const member = (name: string, group: string, isAdmin = false) => ({ member: name, group, isAdmin })

interface Given {
  /** Beside those with which nothing is wrong. */
  roles?: RoleRow[]
  /** Instead of all of them. */
  all?: RoleRow[] | Error
  memberships?: ReturnType<typeof member>[]
  sessions?: SessionRow[]
  asked?: Partial<PlanQuestion>
  guarded?: GuardedServer[]
}

function plan(given: Given) {
  const { roles = [], memberships = [], sessions = [], asked = {}, guarded = [] } = given
  const clean = CLEAN.filter(({ name }) => !roles.some((one) => one.name === name))
  const parts = {
    roles: given.all ?? [...clean, ...roles],
    memberships,
    sessions,
  } as unknown as ReadParts
  const db1 = { host: 'db1', parts }
  return planRoles(db1, [db1], guarded, {
    ...{ list: accessList(ACCOUNTS, NOW), acceptances: [], own: new Set(['postgres']) },
    ...{ named: new Set<string>(), isUnknownIncluded: false },
    ...asked,
  })
}

describe('the plan by which roles come to be as the list says', () => {
  const table: [what: string, given: Given, fixes: string[], left: string[]][] = [
    ['nothing where nothing differs', { roles: [role('ana')] }, [], []],
    ['no role for a person who has none: people come by a grant', {}, [], []],
    [
      'the logins of who left and whose last day is past are closed',
      { roles: [role('left'), role('over')] },
      ['alter role "left" nologin', 'alter role "over" nologin'],
      [],
    ],
    [
      'what is taken away comes before what is given',
      {
        roles: [
          role('app', { canLogin: false }),
          role('left'),
          role('ana', { connectionLimit: null }),
        ],
      },
      [
        'alter role "left" nologin',
        'alter role "ana" connection limit 10',
        'alter role "app" login',
      ],
      [],
    ],
    [
      'just those attributes go that are there',
      { roles: [role('ana', { canCreateDatabases: true, bypassesRowSecurity: true })] },
      ['alter role "ana" nocreatedb', 'alter role "ana" nobypassrls'],
      [],
    ],
    [
      'the end of a password is the last day on the list, and left where the list has none',
      { roles: [role('ana', { validUntil: null }), role('eva', { validUntil: null })] },
      [`alter role "ana" valid until '2027-01-01T00:00:00.000Z'`],
      ['eva'],
    ],
    ['a login of nobody is left', { roles: [role('old')] }, [], ['old']],
    [
      'a login of nobody is closed where all of them are asked for',
      { roles: [role('old')], asked: { isUnknownIncluded: true } },
      ['alter role "old" nologin'],
      [],
    ],
    [
      'a superuser and a role that replicates are left, also where unknown roles are asked for',
      {
        roles: [role('dba', { isSuperuser: true }), role('copy', { canReplicate: true })],
        asked: { isUnknownIncluded: true },
      },
      [],
      ['dba', 'copy', 'dba', 'copy'],
    ],
    [
      'a superuser that is named is closed and made none',
      { roles: [role('dba', { isSuperuser: true })], asked: { named: new Set(['dba']) } },
      ['alter role "dba" nologin', 'alter role "dba" nosuperuser'],
      [],
    ],
    [
      'the login of the command is left although it is named',
      {
        roles: [role('chief', { isSuperuser: true })],
        asked: { named: new Set(['chief']), own: new Set(['chief']) },
      },
      [],
      ['chief', 'chief'],
    ],
    [
      'the nearest membership goes, and whoever had the right through it keeps their own',
      {
        roles: [role('ana'), role('readers', { canLogin: false })],
        memberships: [
          member('ana', 'inner'),
          member('inner', 'readers'),
          member('readers', 'pg_read_all_data', true),
        ],
      },
      [
        'revoke "pg_read_all_data" from "readers"',
        'revoke admin option for "pg_read_all_data" from "readers"',
      ],
      [],
    ],
    [
      'a session of a closed login that is not on the list is ended',
      { roles: [role('left', { canLogin: false })], sessions: [session('left')] },
      [`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'left'`],
      [],
    ],
    [
      'a session of somebody on the list is none of its business',
      { roles: [role('ana')], sessions: [session('ana', { address: '10.0.0.1' })] },
      [],
      [],
    ],
  ]
  for (const [what, given, fixes, left] of table)
    it(what, () => {
      const made = plan(given)
      deepEqual(
        made.changes.map(({ fix }) => fix),
        fixes,
      )
      deepEqual(
        made.left.map((each) => each.role),
        left,
      )
    })

  it('makes the role that a service account lacks, without a password', () => {
    const { changes } = plan({ all: CLEAN.slice(0, 1) })
    deepEqual(
      changes.map(({ kind, who, fix, undo }) => [kind, who, fix, undo]),
      [['role missing', 'app', 'create role "app" login connection limit 10', 'drop role "app"']],
    )
  })

  it('leaves what somebody answers for', () => {
    const acceptance = {
      ...{ id: '1', rule: 'bypass-row-security', subject: 'role ana', host: null, reason: 'x' },
      ...{ owner: 'eva@example.com', ownerUntil: null, ownerRemovedAt: null, until: '2026-12-31' },
      ...{ acceptedAt: NOW, withdrawnAt: null },
    }
    const given = { roles: [role('ana', { bypassesRowSecurity: true })] }
    deepEqual(plan({ ...given, asked: { acceptances: [acceptance] } }).changes, [])
  })

  it('says what could not be read, and plans nothing from it', () => {
    const made = plan({ all: new Error('permission denied') })
    deepEqual([made.changes, made.left], [[], []])
    equal(made.notChecked[0]?.rule, 'role-nobody')
  })

  it('leaves a membership by which pg_hba.conf lets replication in', () => {
    const memberships = [member('walsender', 'copiers'), member('copiers', 'pg_read_all_data')]
    const row = {
      ...{ file: null, line: 1, type: 'local', databases: ['replication'] },
      ...{ users: ['+pg_read_all_data'], address: null, netmask: null, method: 'trust' },
      ...{ options: null, error: null },
    }
    const rule = readHbaRow(row)
    const server = { version: 150_000, isStandby: false, auditor: 'postgres' }
    const keeper = { role: 'walsender', database: undefined, from: undefined, isEncrypted: false }
    const guarded = {
      host: 'db1',
      parts: {
        hba: { rows: [row], rules: rule ? [rule] : [], interfaces: [] },
        server,
        memberships,
      },
      keepers: [keeper],
    }
    const made = plan({
      memberships,
      guarded: [guarded],
      roles: [role('copiers', { canLogin: false })],
    })
    deepEqual(made.changes, [])
    deepEqual(
      made.left.map(({ fix, reason }) => [fix, reason]),
      [
        [
          'revoke "pg_read_all_data" from "copiers"',
          'it would lock out replication of walsender at db1',
        ],
        ['revoke "copiers" from "walsender"', 'it would lock out replication of walsender at db1'],
      ],
    )
  })
})
