import { ConflictError, ExpectedError } from '../../errors.js'
import { ownersOnly } from '../../staff/change.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { serialOf, type Authority } from '../ca/authority.js'
import { readAdmissions } from './admission.js'
import { refuseFormer, signCertificate } from './certificate.js'
import { writeGrantLines } from './hba-lines.js'
import { createLogin } from './server-store.js'
import { primaryOf, type OpenServer, type OpenServers } from './servers.js'
import { lockGrant, moveGrant, type GrantRow } from './store.js'
import { GRANTED_GROUP, HBA_METHODS, type Admission, type GrantMethod } from './types.js'

/**
 * Lets a granted role in: lines in pg_hba.conf of each server, then its login. Where a file cannot be written it is
 * said, and the grant goes on: what is missing is in its admissions.
 * @param given.networks those of the person
 * @param given.authority for a grant by certificate
 * @throws ConflictError for a grant that is over, RefusedError for anybody but the owner of the cleverctl database
 */
export async function letIn(
  workspace: Workspace,
  servers: OpenServers,
  row: GrantRow,
  given: { networks: readonly string[]; authority: Authority | undefined },
): Promise<{ row: GrantRow; admissions: Admission[] }> {
  const { log, signal } = workspace
  const { networks, authority } = given
  const primary = primaryOf(servers)
  for (const server of servers.open) {
    try {
      if (authority) await refuseFormer(workspace, server, authority)
      await writeGrantLines(workspace, server, row, networks)
    } catch (error) {
      if (!(error instanceof ExpectedError) || signal.aborted) throw error
      log.warn(error.message)
    }
  }
  const done = await putInForce(workspace, row, { primary, authority })
  const admissions: Admission[] = []
  for (const server of servers.open)
    admissions.push(...(await readAdmissions(server, { ...done, networks }, signal)))
  return { row: done, admissions }
}

/** Makes the login of a grant that is written down, while nobody can end it. Made already, nothing is changed. */
async function putInForce(
  { database, actor, clock }: Workspace,
  row: GrantRow,
  { primary, authority }: { primary: OpenServer; authority: Authority | undefined },
): Promise<GrantRow> {
  const { id, role, verifier, endsAt, databases, isReadOnly, email } = row
  return ownersOnly(
    database.transaction(async (transaction) => {
      const now = clock.now()
      const locked = await lockGrant(transaction, id)
      const isOpen = locked?.state === 'PLANNED' || locked?.state === 'ACTIVE'
      if (!isOpen || verifier === null || endsAt <= now)
        throw new ConflictError('grant-ended', `the grant of ${email} is over`, {
          suggestions: ['cleverctl access expire'],
        })
      const { hasPgaudit } = primary.standing
      const comment = `cleverctl: grant ${id} of ${email}, until ${endsAt.toISOString()}`
      const password = authority ? null : verifier
      const login = { role, verifier: password, endsAt, databases, isReadOnly, hasPgaudit, comment }
      await createLogin(primary.database, login)
      if (locked.state === 'ACTIVE') return { ...row, ...locked }
      const certificate = authority ? await signCertificate(authority, row, now) : null
      await moveGrant(transaction, id, { from: ['PLANNED'], to: 'ACTIVE', certificate })
      await appendTrail(transaction, actor, {
        action: 'access.grant',
        subject: email,
        phase: 'outcome',
        details: {
          ...{ id, role, host: primary.host },
          ...(certificate === null ? {} : { serial: serialOf(certificate) }),
        },
      })
      return { ...row, state: 'ACTIVE', certificate }
    }),
  )
}

/** What is told of a server whose pg_hba.conf does not let a granted role in. */
export function groupRule({ network }: Admission, method: GrantMethod): string {
  return `hostssl all +${GRANTED_GROUP} ${network} ${HBA_METHODS[method]}`
}
