import type { EstateCommands } from './commands.js'

/** Where drills of backups have their server on the backup machine. */
export const SCRATCH = '/var/tmp/cleverctl-drill-main'

/** The labels of the backups that are there, oldest first. */
export async function labelsOf(commands: EstateCommands): Promise<string[]> {
  const { backups } = await commands.json('backup list')
  return (backups as { label: string }[]).map(({ label }) => label)
}

/** What the last two entries of the trail about a backup say. */
export async function lastEntries({ fresh }: EstateCommands): Promise<string[]> {
  const { rows } = await fresh.database.query<{ entry: string }>(
    `select phase || coalesce(' ' || (details->>'error'), '') as entry from cleverctl.trail
     where action = 'backup.run' order by seq desc limit 2`,
  )
  return rows.map(({ entry }) => entry).reverse()
}

/** Waits until nothing is left of a drill, and fails where its server still runs then. */
export async function drillIsGone(commands: EstateCommands): Promise<void> {
  await commands.bak1(`until [ ! -e ${SCRATCH} ]; do sleep 0.1; done; ! pgrep -x postgres`)
}
