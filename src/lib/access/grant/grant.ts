import { randomBase62 } from '../../base62.js'
import type { Transaction } from '../../database/database.js'
import { formatDuration } from '../../duration.js'
import { ConflictError, NotFoundError, UsageError } from '../../errors.js'
import { faultOfName } from '../../installation/types.js'
import { Secret } from '../../secret.js'
import { transactionWithDelivery, type SecretDelivery } from '../../secret-delivery.js'
import { ownersOnly } from '../../staff/change.js'
import { lockAccount, type AccountRow } from '../../staff/store.js'
import { accountState, unknownAccount } from '../../staff/types.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { isVerifierOf, scramVerifier } from '../scram.js'
import { readAdmissions } from './admission.js'
import { createLogin } from './server-store.js'
import { primaryOf, withServers, type OpenServer, type OpenServers } from './servers.js'
import {
  insertGrant,
  lockGrant,
  moveGrant,
  selectOpenGrants,
  showGrant,
  type GrantRow,
} from './store.js'
import { GRANTED_GROUP, type Admission, type ShownGrant } from './types.js'

const SHORTEST_MS = 60_000
const LONGEST_MS = 7 * 24 * 60 * 60_000
const PASSWORD_LENGTH = 32
const ROLE_LENGTH = 10

/** What is to be granted to whom. */
export interface GrantOrder {
  email: string
  forMs: number
  reason: string
  /** None: all databases of the server. */
  databases: readonly string[]
  isReadOnly: boolean
  /** URLs of the primary and its standbys, without passwords; none: the server of the cleverctl database. */
  servers: readonly string[]
}

/** What became of it. */
export interface Granted extends ShownGrant {
  outcome: 'granted' | 'unchanged'
  /** From where the role is let in by pg_hba.conf of each server. */
  admissions: Admission[]
  /** With --reveal only. */
  password?: string
}

/**
 * Lets a person in for a limited time, by a login of its own. What is granted is written down before the login
 * is made, and the password is with its owner before either; the same order again finishes what was interrupted.
 * pg_hba.conf is looked at and not changed.
 * @throws UsageError, NotFoundError and ConflictError before anything is changed
 * @throws RefusedError for anybody but the owner of the cleverctl database, and a login that is no superuser
 * @throws UnreachableError when one of the servers cannot be reached
 */
export async function grantAccess(
  workspace: Workspace,
  order: GrantOrder,
  given: { delivery: SecretDelivery; environment: NodeJS.ProcessEnv },
): Promise<Granted> {
  checkOrder(order)
  const email = order.email.trim().toLowerCase()
  const person = await ownersOnly(
    workspace.database.transaction((transaction) => findPerson(transaction, workspace, email)),
  )
  return withServers(workspace, order.servers, given.environment, async (servers) => {
    const [failed] = servers.failed
    if (failed) throw failed.error
    const primary = primaryOf(servers)
    const databases = databasesOf(order, primary)
    const { row, isNew } = await writeDown(
      workspace,
      { ...order, email, databases },
      given.delivery,
    )
    const done = await putInForce(workspace, row, primary)
    const password = given.delivery.revealed()
    return {
      ...showGrant(done),
      outcome: isNew || row.state === 'PLANNED' ? 'granted' : 'unchanged',
      admissions: await admissionsOf(servers, done, person, workspace.signal),
      ...(password === undefined ? {} : { password }),
    }
  })
}

type Wanted = Omit<GrantOrder, 'databases'> & { databases: string[] }

/** The grant as it is kept, now or from an interrupted run. */
async function writeDown(
  workspace: Workspace,
  wanted: Wanted,
  delivery: SecretDelivery,
): Promise<{ row: GrantRow; isNew: boolean }> {
  const { database, random, clock } = workspace
  const { email } = wanted
  await delivery.resume(async (secret) => {
    const [open] = await selectOpenGrants(database, { email })
    return open?.verifier != null && (await isVerifierOf(open.verifier, secret))
  })
  const [open] = await selectOpenGrants(database, { email })
  if (open) {
    requireSame(open, wanted, clock.now())
    return { row: open, isNew: false }
  }
  const password = new Secret(randomBase62(random, PASSWORD_LENGTH))
  const verifier = await scramVerifier(password, random)
  const role = `cleverctl_g_${randomBase62(random, ROLE_LENGTH)}`
  await ownersOnly(
    transactionWithDelivery(database, delivery, async (transaction) => {
      await insert(transaction, workspace, { ...wanted, role, verifier })
      return { secret: password, result: undefined }
    }),
  )
  const [row] = await selectOpenGrants(database, { email })
  if (!row) throw new ConflictError('grant-ended', `the grant of ${email} has ended meanwhile`)
  return { row, isNew: true }
}

async function insert(
  transaction: Transaction,
  workspace: Workspace,
  wanted: Wanted & { role: string; verifier: string },
): Promise<void> {
  const { actor, clock } = workspace
  const { email, role, verifier, databases, isReadOnly, reason } = wanted
  const person = await findPerson(transaction, workspace, email)
  const grantedAt = clock.now()
  const endsAt = new Date(grantedAt.getTime() + wanted.forMs)
  if (person.until !== null && endsAt.toISOString().slice(0, 10) > person.until)
    throw new ConflictError('grant-too-long', `the last day of ${email} is ${person.until}`, {
      suggestions: ['grant a shorter time'],
    })
  const servers = [...wanted.servers]
  const facts = { role, servers, databases, isReadOnly, reason, endsAt, grantedAt, verifier }
  const id = await insertGrant(transaction, { ...facts, accountId: person.id })
  if (id === undefined) throw grantExists(email)
  await appendTrail(transaction, actor, {
    action: 'access.grant',
    subject: email,
    phase: 'intent',
    details: { id, role, servers, databases, isReadOnly, reason, endsAt: endsAt.toISOString() },
  })
}

/** Makes the login, while nobody can end the grant. */
async function putInForce(
  { database, actor, clock }: Workspace,
  row: GrantRow,
  primary: OpenServer,
): Promise<GrantRow> {
  const { id, role, verifier, endsAt, databases, isReadOnly, email } = row
  return ownersOnly(
    database.transaction(async (transaction) => {
      const state = await lockGrant(transaction, id)
      const isOpen = state === 'PLANNED' || state === 'ACTIVE'
      if (!isOpen || verifier === null || endsAt <= clock.now())
        throw new ConflictError('grant-ended', `the grant of ${email} is over`, {
          suggestions: ['cleverctl access expire'],
        })
      const { hasPgaudit } = primary.standing
      const comment = `cleverctl: grant ${id} of ${email}, until ${endsAt.toISOString()}`
      const login = { role, verifier, endsAt, databases, isReadOnly, hasPgaudit, comment }
      await createLogin(primary.database, login)
      if (!(await moveGrant(transaction, id, { from: ['PLANNED'], to: 'ACTIVE' }))) return row
      await appendTrail(transaction, actor, {
        action: 'access.grant',
        subject: email,
        phase: 'outcome',
        details: { id, role, host: primary.host },
      })
      return { ...row, state: 'ACTIVE' }
    }),
  )
}

async function admissionsOf(
  { open }: OpenServers,
  { role, databases }: GrantRow,
  { networks }: AccountRow,
  signal: AbortSignal,
): Promise<Admission[]> {
  const found: Admission[] = []
  for (const server of open)
    found.push(...(await readAdmissions(server, { role, databases, networks }, signal)))
  return found
}

async function findPerson(
  transaction: Transaction,
  { clock }: Pick<Workspace, 'clock'>,
  email: string,
): Promise<AccountRow> {
  const person = await lockAccount(transaction, 'staff', email)
  if (!person) throw unknownAccount('staff', email)
  const state = accountState(person, clock.now())
  if (state === 'valid') return person
  const reason = state === 'over' ? `the last day was ${person.until}` : 'taken off the list'
  throw new ConflictError('staff-not-valid', `${email} may not reach the databases: ${reason}`, {
    suggestions: [`cleverctl staff show ${email}`],
  })
}

function databasesOf({ databases }: GrantOrder, { host, standing }: OpenServer): string[] {
  const unknown = databases.find((name) => !standing.databases.includes(name))
  if (unknown !== undefined)
    throw new NotFoundError(
      'database-not-found',
      `${host} has no database ${JSON.stringify(unknown.slice(0, 80))} that takes connections`,
      { suggestions: [`databases there are: ${standing.databases.join(' ')}`] },
    )
  return databases.length === 0 ? standing.databases : [...new Set(databases)].sort()
}

function checkOrder({ forMs, reason, email }: GrantOrder): void {
  if (forMs < SHORTEST_MS || forMs > LONGEST_MS)
    throw new UsageError(
      'bad-duration',
      `a grant is for ${formatDuration(SHORTEST_MS)} to ${formatDuration(LONGEST_MS)}`,
    )
  const fault = faultOfName(reason)
  if (fault) throw new UsageError('bad-reason', `the reason: ${fault.reason}`)
  if (email.trim() === '') throw new UsageError('invalid-email', 'the e-mail address is empty')
}

/** @throws ConflictError for another grant than the one that is wanted */
function requireSame(open: GrantRow, wanted: Wanted, now: Date): void {
  const facts = (grant: { servers: readonly string[]; databases: string[] } & Wanted) =>
    JSON.stringify([grant.servers, grant.databases, grant.isReadOnly, grant.reason])
  const length = open.endsAt.getTime() - open.grantedAt.getTime()
  const isSame =
    facts({ ...wanted, ...open, servers: open.servers }) === facts(wanted) &&
    length === wanted.forMs
  if (!isSame || open.state === 'ENDING' || open.endsAt <= now) throw grantExists(open.email)
}

function grantExists(email: string): ConflictError {
  return new ConflictError('grant-exists', `${email} has a grant already, or one that is ending`, {
    suggestions: [
      'cleverctl access grants',
      `cleverctl access revoke ${email}`,
      'cleverctl access expire',
    ],
  })
}

/** What is told of a server whose pg_hba.conf does not let a granted role in. */
export function groupRule({ network }: Admission): string {
  return `hostssl all +${GRANTED_GROUP} ${network} scram-sha-256`
}
