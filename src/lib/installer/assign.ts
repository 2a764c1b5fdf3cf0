import { ConflictError } from '../errors.js'
import { appendTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { findInstallations, retiredInstallation, unknownInstaller } from './find.js'
import { deleteAssignments, insertAssignments, lockInstaller } from './store.js'
import { parseEmail } from './types.js'

/** Which of the installations asked for changed, by code. */
export interface AssignedInstaller {
  email: string
  assigned: string[]
  unchanged: string[]
}

/** Which of the installations asked for changed, by code. */
export interface UnassignedInstaller {
  email: string
  unassigned: string[]
  unchanged: string[]
}

/**
 * Lets an installer place devices at installations. All of them or, on an error, none.
 * @throws NotFoundError for an unknown installer or installation
 * @throws ConflictError for a disabled installer or a retired installation
 */
export async function assignInstaller(
  workspace: Workspace,
  asked: { email: string; installations: readonly string[] },
): Promise<AssignedInstaller> {
  const { database, actor, clock } = workspace
  const email = parseEmail(asked.email)
  return database.transaction(async (transaction) => {
    const installer = await lockInstaller(transaction, email)
    if (!installer) throw unknownInstaller(email)
    if (installer.disabledAt) {
      throw new ConflictError('installer-disabled', `installer ${email} is disabled`, {
        suggestions: [`cleverctl installer reset-password ${email} --enable`],
      })
    }
    const installations = await findInstallations(transaction, asked.installations)
    const retired = installations.filter((installation) => installation.retiredAt)
    if (retired.length > 0) throw retiredInstallation(retired.map(({ code }) => code))
    const changedIds = await insertAssignments(transaction, {
      installerId: installer.id,
      installationIds: installations.map(({ id }) => id),
      at: clock.now(),
    })
    const [assigned, unchanged] = splitByChange(installations, changedIds)
    if (assigned.length > 0) {
      const details = { installations: assigned }
      await appendTrail(transaction, actor, { action: 'installer.assign', subject: email, details })
    }
    return { email, assigned, unchanged }
  })
}

/**
 * Takes installations from an installer; the devices placed there stay.
 * @throws NotFoundError for an unknown installer or installation
 */
export async function unassignInstaller(
  workspace: Workspace,
  asked: { email: string; installations: readonly string[] },
): Promise<UnassignedInstaller> {
  const { database, actor } = workspace
  const email = parseEmail(asked.email)
  return database.transaction(async (transaction) => {
    const installer = await lockInstaller(transaction, email)
    if (!installer) throw unknownInstaller(email)
    const installations = await findInstallations(transaction, asked.installations)
    const changedIds = await deleteAssignments(transaction, {
      installerId: installer.id,
      installationIds: installations.map(({ id }) => id),
    })
    const [unassigned, unchanged] = splitByChange(installations, changedIds)
    if (unassigned.length > 0) {
      const details = { installations: unassigned }
      await appendTrail(transaction, actor, {
        action: 'installer.unassign',
        subject: email,
        details,
      })
    }
    return { email, unassigned, unchanged }
  })
}

function splitByChange(
  installations: readonly { id: string; code: string }[],
  changedIds: readonly string[],
): [changed: string[], unchanged: string[]] {
  const changed = new Set(changedIds)
  const codes = (wanted: boolean): string[] =>
    installations.filter(({ id }) => changed.has(id) === wanted).map(({ code }) => code)
  return [codes(true), codes(false)]
}
