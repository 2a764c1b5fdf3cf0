import { ExpectedError, PartialError } from '../../errors.js'
import { changeList } from '../../staff/change.js'
import { selectAccount } from '../../staff/store.js'
import { unknownAccount } from '../../staff/types.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { probeLogin } from '../audit/probe.js'
import { openCa } from '../ca/open.js'
import { endLogin } from '../ended-login.js'
import { refuseFormer, trialCertificate, type TlsLogin } from './certificate.js'
import { removeGrantLines } from './hba-lines.js'
import { closeLogin } from './server-store.js'
import { primaryOf, withServers, type OpenServer } from './servers.js'
import { moveGrant, selectOpenGrants, type GrantRow } from './store.js'
import type { GrantEnd } from './types.js'

/** What became of a grant that was to end. */
export interface EndedGrant {
  id: string
  email: string
  role: string
  endReason: GrantEnd
  /** `ending`: not seen to be over on every server; the same command goes on. */
  outcome: 'ended' | 'ending'
  sessionsEnded: number
  servers: EndedAtServer[]
}

/** How it ended at one of its servers. */
export interface EndedAtServer {
  host: string
  isClosed: boolean
  reason: string | null
  /** Whether the server was told that the certificate is revoked; null for a password, and where that was not tried. */
  isRevoked: boolean | null
}

/**
 * Ends the grant of a person on all its servers, whatever its state.
 * @returns nothing where the person has none
 * @throws NotFoundError; RefusedError for anybody but the owner of the cleverctl database
 * @throws PartialError when it is not seen to be over everywhere; what became of it is the result
 */
export async function revokeAccess(
  workspace: Workspace,
  asked: { email: string; environment: NodeJS.ProcessEnv },
): Promise<{ grants: EndedGrant[] }> {
  const email = asked.email.trim().toLowerCase()
  if (!(await selectAccount(workspace.database, 'staff', email)))
    throw unknownAccount('staff', asked.email)
  return endGrants(workspace, { email }, 'revoked', asked.environment)
}

/** Ends every grant whose time is over, whose person is off the list, or that is ending already; see {@link revokeAccess}. */
export async function expireAccess(
  workspace: Workspace,
  { environment }: { environment: NodeJS.ProcessEnv },
): Promise<{ grants: EndedGrant[] }> {
  return endGrants(workspace, { overAt: workspace.clock.now() }, 'expired', environment)
}

async function endGrants(
  workspace: Workspace,
  of: { email: string } | { overAt: Date },
  reason: GrantEnd,
  environment: NodeJS.ProcessEnv,
): Promise<{ grants: EndedGrant[] }> {
  const open = await changeList(workspace.database, (transaction) =>
    selectOpenGrants(transaction, of),
  )
  const grants: EndedGrant[] = []
  for (const grant of open) {
    workspace.signal.throwIfAborted()
    grants.push(await endGrant(workspace, grant, reason, environment))
  }
  const left = grants.filter(({ outcome }) => outcome === 'ending')
  if (left.length === 0) return { grants }
  const names = left.map(({ email }) => email).join(', ')
  throw new PartialError('grant-not-ended', `not seen to be over on every server: ${names}`, {
    result: { grants },
    suggestions: ['give the command again when the server can be reached'],
  })
}

async function endGrant(
  workspace: Workspace,
  grant: GrantRow,
  reason: GrantEnd,
  environment: NodeJS.ProcessEnv,
): Promise<EndedGrant> {
  const { database, actor, clock } = workspace
  const { id, email, role } = grant
  if (grant.state === 'REQUESTED' && (await endRequest(workspace, grant, reason)))
    return {
      id,
      email,
      role,
      endReason: lapsed(reason),
      outcome: 'ended',
      sessionsEnded: 0,
      servers: [],
    }
  await changeList(database, async (transaction) => {
    const move = { from: ['PLANNED', 'ACTIVE'] as const, to: 'ENDING' as const, endReason: reason }
    if (!(await moveGrant(transaction, id, move))) return
    const details = { id, role, reason }
    await appendTrail(transaction, actor, {
      ...{ action: 'access.end', subject: email, phase: 'intent', details },
    })
  })
  const endReason = grant.endReason ?? reason
  const ended: EndedGrant = {
    ...{ id, email, role, endReason, outcome: 'ending', sessionsEnded: 0, servers: [] },
  }
  await withServers(workspace, grant.servers, environment, async ({ open, failed }) => {
    for (const { host, reason: why } of failed) ended.servers.push(stillOpen(host, why))
    const primary = attempt(() => primaryOf({ open, failed }))
    if (primary instanceof ExpectedError) {
      ended.servers.push(...open.map(({ host }) => stillOpen(host, primary.message)))
      return
    }
    await closeLogin(primary.database, role)
    for (const server of open)
      ended.servers.push(
        await closeAt(server, grant, workspace, (count) => {
          ended.sessionsEnded += count
        }),
      )
  })
  if (ended.servers.some(({ isClosed }) => !isClosed)) return ended
  await changeList(database, async (transaction) => {
    const move = { from: ['ENDING'] as const, to: 'ENDED' as const, endedAt: clock.now() }
    if (!(await moveGrant(transaction, id, move))) return
    const { sessionsEnded } = ended
    const details = { id, role, sessionsEnded, servers: ended.servers.map(({ host }) => host) }
    await appendTrail(transaction, actor, {
      ...{ action: 'access.end', subject: email, phase: 'outcome', details },
    })
  })
  return { ...ended, outcome: 'ended' }
}

/** Ends a request, of which nothing is on any server. @returns false when it was approved meanwhile */
async function endRequest(
  { database, actor, clock }: Workspace,
  { id, email, role }: GrantRow,
  reason: GrantEnd,
): Promise<boolean> {
  return changeList(database, async (transaction) => {
    const end = { to: 'ENDED' as const, endReason: lapsed(reason), endedAt: clock.now() }
    if (!(await moveGrant(transaction, id, { from: ['REQUESTED'], ...end }))) return false
    const details = { id, role, reason: end.endReason }
    await appendTrail(transaction, actor, { action: 'access.end', subject: email, details })
    return true
  })
}

/** A request does not expire: it lapses. */
function lapsed(reason: GrantEnd): GrantEnd {
  return reason === 'expired' ? 'lapsed' : reason
}

/** Ends the sessions of a role at a server and sees that no other begins. @param onEnded is told how many were ended */
async function closeAt(
  server: OpenServer,
  grant: GrantRow,
  workspace: Workspace,
  onEnded: (sessions: number) => void,
): Promise<EndedAtServer> {
  const { host, database, standing } = server
  const { role, databases, method } = grant
  const { sessionsEnded, reason } = await endLogin(database, role, workspace.signal)
  onEnded(sessionsEnded)
  if (reason !== null) return stillOpen(host, reason)
  const name = databases[0] ?? standing.databases[0] ?? 'postgres'
  try {
    await removeGrantLines(workspace, server, { role })
    const revoked = method === 'certificate' ? await revokeAt(workspace, server, grant) : undefined
    if ((await probeLogin(database, role, name, revoked?.login)) === 'in')
      return stillOpen(host, 'a login was tried and let in')
    return { host, isClosed: true, reason: null, isRevoked: revoked?.isListed ?? null }
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error
    return stillOpen(host, error.message)
  }
}

/** Tells a server that the certificate of a grant does not hold any more. @returns what its end is tried with, too */
async function revokeAt(
  workspace: Workspace,
  server: OpenServer,
  grant: GrantRow,
): Promise<{ isListed: boolean; login: TlsLogin }> {
  const authority = await openCa(workspace, workspace.database)
  const isListed = await refuseFormer(workspace, server, authority)
  return { isListed, login: await trialCertificate(authority, grant, workspace.clock.now()) }
}

function stillOpen(host: string, reason: string): EndedAtServer {
  return { host, isClosed: false, reason, isRevoked: null }
}

function attempt<Result>(work: () => Result): Result | ExpectedError {
  try {
    return work()
  } catch (error) {
    if (error instanceof ExpectedError) return error
    throw error
  }
}
