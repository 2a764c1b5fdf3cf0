import { ConflictError, NotFoundError } from '../errors.js'
import type { Queryable } from '../database/database.js'
import { unknownInstallation } from '../installation/types.js'
import { selectInstallations } from './store.js'
import type { InstallerEmail } from './types.js'

/** The error for an e-mail address nobody has. */
export function unknownInstaller(email: InstallerEmail): NotFoundError {
  return new NotFoundError('installer-not-found', `no installer has the address ${email}`, {
    suggestions: ['cleverctl installer list', `cleverctl installer add ${email} --name NAME`],
  })
}

/**
 * The ids of installations by their codes, in the order asked, each once.
 * @throws NotFoundError naming every code that does not exist
 */
export async function findInstallations(
  database: Queryable,
  codes: readonly string[],
): Promise<{ id: string; code: string; retiredAt: Date | null }[]> {
  const wanted = [...new Set(codes)]
  const found = new Map((await selectInstallations(database, wanted)).map((row) => [row.code, row]))
  const missing = wanted.filter((code) => !found.has(code))
  if (missing.length > 0) throw unknownInstallation(...missing)
  return wanted.flatMap((code) => found.get(code) ?? [])
}

/** The error for an installation that was retired. */
export function retiredInstallation(codes: readonly string[]): ConflictError {
  return new ConflictError('installation-retired', `retired: ${codes.join(', ')}`, {
    suggestions: ['cleverctl installation list'],
  })
}
