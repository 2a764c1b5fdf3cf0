import { randomBase62 } from '../../base62.js'
import type { Transaction } from '../../database/database.js'
import { ConflictError, PartialError } from '../../errors.js'
import { requireFree } from '../../new-secret-file.js'
import { transactionWithDelivery, type SecretDelivery } from '../../secret-delivery.js'
import { ownersOnly } from '../../staff/change.js'
import { lockAccount, type AccountRow } from '../../staff/store.js'
import { accountState, unknownAccount } from '../../staff/types.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { serverNames } from '../named-servers.js'
import { approvalChecked } from './approval-refused.js'
import { deliverCertificate, trustedAuthority } from './certificate.js'
import {
  checkOrder,
  databasesOf,
  grantExists,
  requireSame,
  type GrantOrder,
  type Wanted,
} from './order.js'
import { isProvenBy, makeProof } from './proof.js'
import { letIn } from './put-in-force.js'
import { primaryOf, withServers } from './servers.js'
import { insertGrant, needsApproval, selectOpenGrants, showGrant, type GrantRow } from './store.js'
import type { Admission, ShownGrant } from './types.js'

const ROLE_LENGTH = 10

/** What became of it. */
export interface Granted extends ShownGrant {
  outcome: 'granted' | 'requested' | 'unchanged'
  /** From where the role is let in by pg_hba.conf of each server; empty while it is not in force. */
  admissions: Admission[]
  /** With --reveal only. */
  password?: string
  /** Of a grant by certificate, once it is signed: PEM, and where it is. */
  certificate?: string
  certificateFile?: string
}

/** Where what opens the login goes. */
export interface GrantDelivery {
  delivery: SecretDelivery
  /** For the certificate of a grant by certificate. */
  certificateFile?: string | undefined
}

/**
 * Lets a person in for a limited time, by a login of its own. What is granted is written down before the login
 * is made, and the password or private key is with its owner before either; the same order again finishes what was
 * interrupted. pg_hba.conf of each server is written before the login is made. A certificate is signed with the
 * login, because its time counts from there. Where the policy asks for a second member of staff, only the request is
 * written down.
 * @throws PartialError when it waits for approval; the request is the result
 * @throws UsageError, NotFoundError and ConflictError before anything is changed
 * @throws RefusedError for anybody but the owner of the cleverctl database, and a login that is no superuser
 * @throws UnreachableError when one of the servers cannot be reached
 */
export async function grantAccess(
  workspace: Workspace,
  order: GrantOrder,
  given: GrantDelivery & { environment: NodeJS.ProcessEnv },
): Promise<Granted> {
  checkOrder(order)
  const email = order.email.trim().toLowerCase()
  const person = await ownersOnly(
    workspace.database.transaction((transaction) => findPerson(transaction, workspace, email)),
  )
  const names = await serverNames(workspace, order.servers)
  return withServers(workspace, names, given.environment, async (servers) => {
    const [failed] = servers.failed
    if (failed) throw failed.error
    const databases = await databasesOf(workspace, order, primaryOf(servers))
    const authority = await trustedAuthority(workspace, order, servers.open)
    const { row, isNew } = await writeDown(
      workspace,
      { ...order, email, databases, servers: names },
      given,
    )
    const password = given.delivery.revealed()
    const secret = password === undefined ? {} : { password }
    if (row.state === 'REQUESTED') throw waits(row, isNew, secret)
    const { networks } = person
    const done = await letIn(workspace, servers, row, { networks, authority })
    const { certificateFile } = given
    const { certificate } = done.row
    if (certificate !== null && certificateFile !== undefined)
      await deliverCertificate(certificateFile, certificate)
    return {
      ...showGrant(done.row),
      outcome: isNew || row.state === 'PLANNED' ? 'granted' : 'unchanged',
      admissions: done.admissions,
      ...secret,
      ...(certificate === null ? {} : { certificate }),
      ...(certificateFile === undefined ? {} : { certificateFile }),
    }
  })
}

/** What is told of a grant that waits for a second member of staff. */
function waits(row: GrantRow, isNew: boolean, secret: { password?: string }): PartialError {
  const outcome = isNew ? ('requested' as const) : ('unchanged' as const)
  const result: Granted = { ...showGrant(row), outcome, admissions: [], ...secret }
  return new PartialError(
    'approval-needed',
    `request ${row.id} of ${row.email} waits for a second member of staff; until then the secret opens nothing`,
    { result, suggestions: [`somebody else: cleverctl access approve ${row.id}`] },
  )
}

/** The grant as it is kept, now or from an interrupted run. */
async function writeDown(
  workspace: Workspace,
  wanted: Wanted,
  { delivery, certificateFile }: GrantDelivery,
): Promise<{ row: GrantRow; isNew: boolean }> {
  const { database, random, clock } = workspace
  const { email, method } = wanted
  await delivery.resume(async (secret) => {
    const [open] = await selectOpenGrants(database, { email })
    if (open?.verifier == null) return false
    return isProvenBy({ method: open.method, verifier: open.verifier }, secret)
  })
  const [open] = await selectOpenGrants(database, { email })
  if (open) {
    requireSame(open, wanted, clock.now())
    return { row: open, isNew: false }
  }
  if (certificateFile !== undefined) await requireFree(certificateFile)
  const { secret, verifier } = await makeProof(method, random)
  const role = `cleverctl_g_${randomBase62(random, ROLE_LENGTH)}`
  const write = transactionWithDelivery(database, delivery, async (transaction) => {
    await insert(transaction, workspace, { ...wanted, role, verifier })
    return { secret, result: undefined }
  })
  await ownersOnly(approvalChecked(`a grant of ${email} needs approval`, write))
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
  const { email, role, verifier, servers, databases, isReadOnly, method, reason } = wanted
  const person = await findPerson(transaction, workspace, email)
  const grantedAt = clock.now()
  const endsAt = new Date(grantedAt.getTime() + wanted.forMs)
  if (person.until !== null && endsAt.toISOString().slice(0, 10) > person.until)
    throw new ConflictError('grant-too-long', `the last day of ${email} is ${person.until}`, {
      suggestions: ['grant a shorter time'],
    })
  const asked = { role, servers, databases, isReadOnly, method, reason }
  const facts = { ...asked, endsAt, grantedAt, verifier }
  const isRequest = await needsApproval(transaction, facts)
  const state = isRequest ? 'REQUESTED' : 'PLANNED'
  const id = await insertGrant(transaction, { ...facts, accountId: person.id, state })
  if (id === undefined) throw grantExists(email)
  await appendTrail(transaction, actor, {
    action: isRequest ? 'access.request' : 'access.grant',
    subject: email,
    phase: isRequest ? 'change' : 'intent',
    details: { id, ...asked, endsAt: endsAt.toISOString() },
  })
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
