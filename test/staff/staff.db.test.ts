import { deepEqual, equal, rejects } from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConflictError, NotFoundError, RefusedError, UsageError } from '../../src/lib/errors.js'
import { addAccount } from '../../src/lib/staff/add.js'
import { importAccounts, type AccountImport } from '../../src/lib/staff/import.js'
import { removeAccount } from '../../src/lib/staff/remove.js'
import { getAccount, listAccounts } from '../../src/lib/staff/show.js'
import type { AccountKind, GivenFacts } from '../../src/lib/staff/types.js'
import type { Workspace } from '../../src/lib/workspace.js'
import {
  freshDatabase,
  testClock,
  testWorkspace,
  type FreshDatabase,
  type TestClock,
} from '../support/database.js'
import { roleDatabase } from '../support/roles.js'

const EMAIL = 'engineer@example.com'
const PERSON: GivenFacts = {
  kind: 'staff',
  handle: EMAIL,
  description: 'Engineer',
  owner: null,
  roleNames: ['engineer'],
  networks: ['10.77.0.1/32'],
  until: '2027-12-31',
}
const PROGRAM: GivenFacts = {
  kind: 'service-account',
  handle: 'replicator',
  description: 'replication',
  owner: EMAIL,
  roleNames: ['replicator'],
  networks: ['10.77.0.11', '10.77.0.12/32'],
  until: null,
}

/** How a file is taken in. */
interface TakeIn {
  format?: 'scim'
  isReplaced?: boolean
  isStrict?: boolean
  isDryRun?: boolean
}

describe('the list of those who may reach the databases', () => {
  let fresh: FreshDatabase
  let workspace: Workspace
  let clock: TestClock
  let folder: string

  beforeEach(async () => {
    fresh = await freshDatabase()
    clock = testClock()
    workspace = testWorkspace(fresh.database, { clock })
    folder = mkdtempSync(join(tmpdir(), 'cctl-staff-'))
  })
  afterEach(async () => {
    await fresh.drop()
    rmSync(folder, { recursive: true })
  })

  const add = (facts: GivenFacts = PERSON, isReplaced = false) =>
    addAccount(workspace, { ...facts, isReplaced })
  const trail = async () => {
    const { rows } = await fresh.database.query<{ action: string; details: unknown }>(
      'select action, details from cleverctl.trail order by seq',
    )
    return rows
  }
  const actions = async () => (await trail()).map(({ action }) => action)
  const takeIn = (name: string, text: string, options: TakeIn = {}) =>
    take('staff', name, text, options)
  const take = <Kind extends AccountKind>(
    kind: Kind,
    name: string,
    text: string,
    options: TakeIn = {},
  ) => {
    const input = join(folder, name)
    writeFileSync(input, text)
    const defaults = { isReplaced: false, isStrict: false, isDryRun: false }
    return importAccounts(workspace, kind, { input, ...defaults, ...options })
  }
  const importError = async <Kind extends AccountKind>(
    work: Promise<AccountImport<Kind>>,
  ): Promise<AccountImport<Kind>> => {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    return (error as { result: AccountImport<Kind> }).result
  }

  it('takes a person once, whatever the spelling of the address', async () => {
    const added = await add({ ...PERSON, handle: ' Engineer@EXAMPLE.com' })
    deepEqual(added, {
      email: EMAIL,
      name: 'Engineer',
      roleNames: ['engineer'],
      networks: ['10.77.0.1/32'],
      until: '2027-12-31',
      state: 'valid',
      addedAt: '2026-06-01T12:00:00.000Z',
      removedAt: null,
      outcome: 'added',
    })
    equal((await add()).outcome, 'unchanged')
    deepEqual(await actions(), ['staff.add'])
  })

  it('refuses other facts, and takes them with --replace, the former ones in the trail', async () => {
    await add()
    const longer = { ...PERSON, until: '2028-12-31', roleNames: ['engineer', 'engineer_ro'] }
    await rejects(add(longer), ConflictError)
    equal((await add(longer, true)).outcome, 'changed')
    const { roleNames, until } = await getAccount(workspace, { kind: 'staff', handle: EMAIL })
    deepEqual([roleNames, until], [['engineer', 'engineer_ro'], '2028-12-31'])
    const last = (await trail()).at(-1)
    equal(last?.action, 'staff.change')
    equal((last?.details as { former: { until: string } }).former.until, '2027-12-31')
  })

  it('lets a role speak for one account only, until that is removed', async () => {
    await add()
    const other = { ...PERSON, handle: 'other@example.com' }
    await rejects(add(other), /engineer.* speaks for engineer@example\.com/)
    await rejects(add({ ...PROGRAM, roleNames: ['engineer'] }), ConflictError)
    equal((await listAccounts(workspace, { kind: 'staff', withRemoved: true })).length, 1)
    await removeAccount(workspace, { kind: 'staff', handle: EMAIL })
    equal((await add(other)).outcome, 'added')
  })

  it('gives a role to one of two who are added side by side', async () => {
    const outcomes = await Promise.allSettled([
      add(),
      add({ ...PERSON, handle: 'other@example.com' }),
    ])
    deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  })

  it('keeps who was removed, and takes them back', async () => {
    await add()
    const removed = await removeAccount(workspace, { kind: 'staff', handle: EMAIL })
    deepEqual([removed.outcome, removed.roleNames], ['removed', ['engineer']])
    equal((await removeAccount(workspace, { kind: 'staff', handle: EMAIL })).outcome, 'unchanged')
    deepEqual(await listAccounts(workspace, { kind: 'staff', withRemoved: false }), [])
    equal((await getAccount(workspace, { kind: 'staff', handle: EMAIL })).state, 'removed')
    equal((await add()).outcome, 'added')
    deepEqual(await actions(), ['staff.add', 'staff.remove', 'staff.add'])
  })

  it('ends with the last day, not before', async () => {
    await add()
    const state = async () => (await getAccount(workspace, { kind: 'staff', handle: EMAIL })).state
    clock.set('2027-12-31T23:59:59Z')
    equal(await state(), 'valid')
    clock.set('2028-01-01T00:00:00Z')
    equal(await state(), 'over')
  })

  it('wants a person on the list to answer for a program', async () => {
    await rejects(add(PROGRAM), NotFoundError)
    await add()
    const added = await add(PROGRAM)
    deepEqual(added.networks, ['10.77.0.11/32', '10.77.0.12/32'])
    const removed = await removeAccount(workspace, { kind: 'staff', handle: EMAIL })
    deepEqual(removed.ownerless, ['replicator'])
    await rejects(add({ ...PROGRAM, handle: 'another', roleNames: ['another'] }), ConflictError)
  })

  for (const [what, facts] of [
    ['an address that is none', { handle: 'engineer' }],
    ['a network with bits behind its prefix', { networks: ['10.77.0.1/24'] }],
    ['a network that is none', { networks: ['all'] }],
    ['a day that does not exist', { until: '2027-02-30' }],
    ['a time instead of a day', { until: '2027-02-03T00:00:00Z' }],
    ['no role name', { roleNames: [] }],
    ['a role name of PostgreSQL', { roleNames: ['pg_monitor'] }],
    ['a role name that is too long', { roleNames: ['x'.repeat(64)] }],
    ['a name with a line break', { description: 'a\nb' }],
  ] as [string, Partial<GivenFacts>][])
    it(`refuses ${what} and changes nothing`, async () => {
      await rejects(add({ ...PERSON, ...facts }), UsageError)
      deepEqual(await trail(), [])
    })

  it('is changed by the owner of the database alone', async () => {
    await add()
    for (const group of ['cleverctl_staff', 'cleverctl_auditor', 'cleverctl_gate'] as const) {
      const login = await roleDatabase(fresh, group)
      const theirs = testWorkspace(login.database, { clock })
      const other = { ...PERSON, handle: 'x@example.com', roleNames: ['x'], isReplaced: true }
      await rejects(addAccount(theirs, other), RefusedError)
      await rejects(removeAccount(theirs, { kind: 'staff', handle: EMAIL }), RefusedError)
      await login.close()
    }
    deepEqual(await actions(), ['staff.add'])
  })

  it('takes the good rows of a CSV file and lists the others', async () => {
    const text =
      'email,name,roleNames,networks,until\n' +
      'a@example.com,Ana,ana ana_ro,10.0.0.0/8 fd00::/8,2027-01-01\n' +
      'b@example.com,Bea,ana,,\n' +
      'a@example.com,Ana,ana,,\n' +
      'c@example.com,Cis,cis,10.0.0.1/8,\n'
    const result = await importError(takeIn('staff.csv', text))
    deepEqual([result.added, result.rejected], [1, 3])
    deepEqual(
      result.rejects.map(({ line, code }) => [line, code]),
      [
        [3, 'role-taken'],
        [4, 'duplicate-email'],
        [5, 'bad-network'],
      ],
    )
    equal(readFileSync(join(folder, 'staff.csv.rejects.csv'), 'utf8').trim().split('\n').length, 4)
    const again = await importError(takeIn('staff.csv', text))
    deepEqual([again.added, again.unchanged], [0, 1])
    deepEqual(await actions(), ['staff.add', 'staff.import'])
  })

  it('takes nothing of a strict import with a bad row, and nothing in a dry run', async () => {
    const text = 'email,name,roleNames,networks,until\na@example.com,Ana,ana,,\n'
    const strict = await importError(takeIn('a.csv', `${text}x,X,x,,\n`, { isStrict: true }))
    equal(strict.added, 0)
    const dry = await takeIn('b.csv', text, { isDryRun: true })
    deepEqual([dry.added, dry.dryRun], [1, true])
    deepEqual(await listAccounts(workspace, { kind: 'staff', withRemoved: true }), [])
    deepEqual(await trail(), [])
  })

  it('reads SCIM, and removes whom it calls inactive', async () => {
    const user = (userName: string, more: object) => ({ userName, displayName: 'Ana', ...more })
    const extension = 'urn:ietf:params:scim:schemas:extension:cleverctl:2.0:User'
    const document = (active: boolean) =>
      JSON.stringify({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
        Resources: [
          user('a@example.com', {
            active,
            [extension]: { roleNames: ['ana'], networks: ['10.0.0.0/8'], until: '2027-01-01' },
          }),
          {
            userName: 'b@example.com',
            name: { givenName: 'Bea', familyName: 'B' },
            roles: [{ value: 'bea' }],
          },
          user('never@example.com', { active: false, roles: [{ value: 'never' }] }),
          user('c@example.com', { roles: [{ value: 7 }] }),
        ],
      })
    const first = await importError(takeIn('a.json', document(true), { format: 'scim' }))
    deepEqual([first.added, first.unchanged, first.rejected], [2, 1, 1])
    const { name } = await getAccount(workspace, { kind: 'staff', handle: 'b@example.com' })
    equal(name, 'Bea B')
    const second = await importError(takeIn('a.json', document(false), { format: 'scim' }))
    deepEqual([second.removed, second.unchanged], [1, 2])
    equal(
      (await getAccount(workspace, { kind: 'staff', handle: 'a@example.com' })).state,
      'removed',
    )
  })

  it('takes service accounts of both forms, with who answers for them', async () => {
    await add()
    const text =
      'name,purpose,owner,roleNames,networks,until\n' +
      `replicator,replication,${EMAIL},,10.77.0.11/32 10.77.0.12/32,\n` +
      `gate,data arrives,${EMAIL},gate_a gate_b,10.77.1.0/24,2027-01-01\n` +
      'backup,backups,nobody@example.com,,,\n' +
      `gate,again,${EMAIL},gate_c,,\n`
    const first = await importError(take('service-account', 'accounts.csv', text))
    deepEqual(
      [first.added, first.rejects.map(({ line, name, code }) => [line, name, code])],
      [
        2,
        [
          [4, 'backup', 'staff-not-found'],
          [5, 'gate', 'duplicate-name'],
        ],
      ],
    )
    const found = await getAccount(workspace, { kind: 'service-account', handle: 'replicator' })
    deepEqual(
      [found.purpose, found.owner, found.roleNames, found.networks],
      ['replication', EMAIL, ['replicator'], ['10.77.0.11/32', '10.77.0.12/32']],
    )
    const extension = 'urn:ietf:params:scim:schemas:extension:cleverctl:2.0:User'
    const document = JSON.stringify([
      {
        userName: 'gate',
        displayName: 'data arrives',
        active: false,
        [extension]: { owner: EMAIL },
      },
      { userName: 'auditor', displayName: 'audits', [extension]: { owner: EMAIL } },
    ])
    const second = await take('service-account', 'accounts.json', document, { format: 'scim' })
    deepEqual([second.added, second.removed, second.rejected], [1, 1, 0])
    equal((await actions()).at(-1), 'service-account.import')
  })

  it('refuses a SCIM file that is none', async () => {
    for (const text of ['', '{}', '[', '{"Resources": {}}'])
      await rejects(takeIn('x.json', text, { format: 'scim' }), UsageError)
  })
})
