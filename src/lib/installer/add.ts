import { ConflictError } from '../errors.js'
import type { Secret } from '../secret.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { checkPassword, hashPassword, verifyPassword } from './password.js'
import { findInstaller, insertInstaller } from './store.js'
import { parseEmail, parseInstallerName } from './types.js'

/** What became of adding an installer. */
export interface AddedInstaller {
  email: string
  name: string
  outcome: 'added' | 'unchanged'
}

/**
 * Adds a person who uses the mobile app. The same person with the same password again changes
 * nothing.
 * @throws UsageError for a bad address, name or password
 * @throws ConflictError when the address belongs to an installer with another name or password, or
 *   to a disabled one
 */
export async function addInstaller(
  workspace: Workspace,
  asked: { email: string; name: string; password: Secret },
): Promise<AddedInstaller> {
  const { database, actor, clock, random } = workspace
  const email = parseEmail(asked.email)
  const name = parseInstallerName(asked.name)
  const existing = await findInstaller(database, email)
  if (!existing) {
    checkPassword(asked.password, [email, email.split('@')[0] ?? '', name])
    const passwordHash = await hashPassword(asked.password, random)
    const id = await database.transaction(async (transaction) => {
      const createdAt = clock.now()
      const inserted = await insertInstaller(transaction, { email, name, passwordHash, createdAt })
      if (inserted) {
        await appendTrail(transaction, actor, {
          action: 'installer.add',
          subject: email,
          details: { name },
        })
      }
      return inserted
    })
    if (id) return { email, name, outcome: 'added' }
  }
  // Also when somebody else added the same address between the look and the insert.
  const installer = existing ?? (await findInstaller(database, email))
  if (installer?.disabledAt) {
    throw new ConflictError('installer-disabled', `installer ${email} exists and is disabled`, {
      suggestions: [`cleverctl installer reset-password ${email} --enable`],
    })
  }
  if (installer?.name !== name) {
    throw new ConflictError('installer-exists', `installer ${email} exists under another name`, {
      suggestions: ['cleverctl installer list'],
    })
  }
  if (!(await verifyPassword(installer.passwordHash, asked.password))) {
    throw new ConflictError('installer-exists', `installer ${email} exists with another password`, {
      suggestions: [`cleverctl installer reset-password ${email}`],
    })
  }
  return { email, name, outcome: 'unchanged' }
}
