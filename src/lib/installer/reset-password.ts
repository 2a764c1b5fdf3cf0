import { ConflictError } from '../errors.js'
import type { Secret } from '../secret.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { unknownInstaller } from './find.js'
import { checkPassword, hashPassword, verifyPassword } from './password.js'
import { findInstaller, lockInstaller, replacePassword } from './store.js'
import { installerState, parseEmail } from './types.js'

/** What became of giving a new password. */
export interface ResetPassword {
  email: string
  outcome: 'reset' | 'unchanged'
  /** Whether the installer was disabled before. */
  enabled: boolean
}

/**
 * Gives an installer a new password, ends the lock-out and the tokens the app holds. The password
 * the installer has already, with nothing to unlock, changes nothing.
 * @param asked.enable also lets a disabled installer in again
 * @throws NotFoundError, UsageError for a bad password, ConflictError for a disabled installer without `enable`
 */
export async function resetInstallerPassword(
  workspace: Workspace,
  asked: { email: string; password: Secret; enable: boolean },
): Promise<ResetPassword> {
  const { database, actor, clock, random } = workspace
  const email = parseEmail(asked.email)
  const known = await findInstaller(database, email)
  if (!known) throw unknownInstaller(email)
  checkPassword(asked.password, [email, email.split('@')[0] ?? '', known.name])
  const isSame = await verifyPassword(known.passwordHash, asked.password)
  const passwordHash = await hashPassword(asked.password, random)
  return database.transaction(async (transaction) => {
    const installer = await lockInstaller(transaction, email)
    if (!installer) throw unknownInstaller(email)
    const isUntouched = isSame && installer.passwordHash === known.passwordHash
    if (isUntouched && installerState(installer, clock.now()) === 'enabled') {
      return { email, outcome: 'unchanged', enabled: false }
    }
    const enabled = installer.disabledAt !== null
    if (enabled && !asked.enable) {
      throw new ConflictError('installer-disabled', `installer ${email} is disabled`, {
        suggestions: [`cleverctl installer reset-password ${email} --enable`],
      })
    }
    await replacePassword(transaction, { id: installer.id, passwordHash })
    await appendTrail(transaction, actor, {
      action: 'installer.reset-password',
      subject: email,
      details: { enabled },
    })
    return { email, outcome: 'reset', enabled }
  })
}
