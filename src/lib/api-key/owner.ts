import { ConflictError } from '../errors.js'
import { unknownInstallation } from '../installation/types.js'
import type { KeyOwner } from './store.js'

/** Throws NotFoundError when there is no installation with this code. */
export function requireOwner(owner: KeyOwner | undefined, code: string): KeyOwner {
  if (owner !== undefined) return owner
  throw unknownInstallation(code)
}

/** Throws NotFoundError as {@link requireOwner} does, and ConflictError for a retired installation. */
export function requireActiveOwner(owner: KeyOwner | undefined, code: string): KeyOwner {
  const found = requireOwner(owner, code)
  if (found.retiredAt === null) return found
  throw new ConflictError(
    'installation-retired',
    `installation ${code} was retired on ${found.retiredAt.toISOString()}`,
    { suggestions: [`cleverctl installation show ${code}`] },
  )
}
