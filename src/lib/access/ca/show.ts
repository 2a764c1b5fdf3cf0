import type { Workspace } from '../../workspace.js'
import { requireCa } from './open.js'
import { showCa, type ShownCa } from './types.js'

/** The authority that signs client certificates. @throws NotFoundError where none was made */
export async function showClientCa({ database }: Workspace): Promise<ShownCa> {
  return showCa(await requireCa(database))
}
