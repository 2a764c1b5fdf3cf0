import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { unknownInstaller } from './find.js'
import { lockInstaller, markDisabled } from './store.js'
import { parseEmail } from './types.js'

/** What became of disabling an installer. */
export interface DisabledInstaller {
  email: string
  outcome: 'disabled' | 'unchanged'
  disabledAt: string
}

/**
 * Shuts an installer out: no login any more, and every gate refuses the tokens the app holds within
 * a second. What the installer placed stays where it is.
 * @throws NotFoundError
 */
export async function disableInstaller(
  workspace: Workspace,
  asked: { email: string },
): Promise<DisabledInstaller> {
  const { database, actor, clock } = workspace
  const email = parseEmail(asked.email)
  return database.transaction(async (transaction) => {
    const installer = await lockInstaller(transaction, email)
    if (!installer) throw unknownInstaller(email)
    if (installer.disabledAt) {
      return { email, outcome: 'unchanged', disabledAt: installer.disabledAt.toISOString() }
    }
    const now = clock.now()
    await markDisabled(transaction, installer.id, now)
    await appendTrail(transaction, actor, { action: 'installer.disable', subject: email })
    return { email, outcome: 'disabled', disabledAt: now.toISOString() }
  })
}
