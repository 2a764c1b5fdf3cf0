import type { HostRow } from '../host/store.js'
import { recordInTrail } from '../trail/append.js'
import type { Workspace } from '../workspace.js'

/** Writes in the trail what is to be done about the backups of a machine, or what came of it. */
export type BackupRecorder = (
  workspace: Workspace,
  host: HostRow,
  phase: 'intent' | 'outcome',
  details: Record<string, unknown>,
) => Promise<void>

/** How an action is recorded: its subject is the stanza, and the machine stands among the details. */
export function recorderOf(action: `backup.${string}`): BackupRecorder {
  return async (workspace, { name, stanza }, phase, details) =>
    recordInTrail(workspace, {
      phase,
      action,
      subject: stanza,
      details: { host: name, ...details },
    })
}
