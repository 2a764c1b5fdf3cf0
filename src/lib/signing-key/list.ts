import type { Workspace } from '../workspace.js'
import { selectSigningKeys } from './store.js'
import { ALGORITHM, standingOf, type SigningKeyState } from './types.js'

/** A signing key as lists show it. */
export interface ListedSigningKey {
  kid: string
  state: SigningKeyState
  algorithm: string
  createdAt: string
  activatedAt: string | null
  verifyUntil: string | null
  revokedAt: string | null
}

/** Every signing key, newest first, in the state the clock has brought it to. */
export async function listSigningKeys(
  workspace: Workspace,
): Promise<{ signingKeys: ListedSigningKey[] }> {
  const now = workspace.clock.now()
  const keys = await selectSigningKeys(workspace.database)
  return {
    signingKeys: keys.map((key) => ({
      kid: key.kid,
      state: standingOf(key, now),
      algorithm: ALGORITHM,
      createdAt: key.createdAt.toISOString(),
      activatedAt: key.activatedAt?.toISOString() ?? null,
      verifyUntil: key.verifyUntil?.toISOString() ?? null,
      revokedAt: key.revokedAt?.toISOString() ?? null,
    })),
  }
}
