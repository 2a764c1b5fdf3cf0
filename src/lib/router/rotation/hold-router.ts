import { ConflictError } from '../../errors.js'
import { hold } from '../../database/hold.js'
import type { Workspace } from '../../workspace.js'

/** Runs `work` while no other process changes this router. Throws ConflictError when one does. */
export async function holdRouter<Result>(
  { database }: Workspace,
  installation: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const taken = new ConflictError(
    'locked',
    `somebody else is changing the router of ${installation}`,
    { suggestions: [`cleverctl router show ${installation}`] },
  )
  return hold(database, `cleverctl.router ${installation}`, taken, work)
}
