import { ConflictError } from '../../errors.js'
import { ownersOnly } from '../../staff/change.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { readAdmissions } from './admission.js'
import { createLogin } from './server-store.js'
import { type OpenServer, type OpenServers } from './servers.js'
import { lockGrant, moveGrant, type GrantRow } from './store.js'
import { GRANTED_GROUP, type Admission } from './types.js'

/**
 * Makes the login of a grant that is written down, while nobody can end it. Made already, nothing is changed.
 * @throws ConflictError for a grant that is over, RefusedError for anybody but the owner of the cleverctl database
 */
export async function putInForce(
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

/** From where a granted role is let in by pg_hba.conf of each server. @param networks those of its person */
export async function admissionsOf(
  { open }: OpenServers,
  { role, databases }: GrantRow,
  networks: readonly string[],
  signal: AbortSignal,
): Promise<Admission[]> {
  const found: Admission[] = []
  for (const server of open)
    found.push(...(await readAdmissions(server, { role, databases, networks }, signal)))
  return found
}

/** What is told of a server whose pg_hba.conf does not let a granted role in. */
export function groupRule({ network }: Admission): string {
  return `hostssl all +${GRANTED_GROUP} ${network} scram-sha-256`
}
