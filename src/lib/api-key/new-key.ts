import type { Transaction } from '../database/database.js'
import type { SecretDelivery } from '../secret-delivery.js'
import type { Sink } from '../sink/types.js'
import type { KeyOwner } from './store.js'
import type { NewApiKey } from './types.js'

/** Where a new key goes: to the person who made it, or to the places where it is used. */
export type KeyDestination = SecretDelivery | readonly Sink[]

/** What decides about the new key once its installation is locked. */
export type Prepare = (transaction: Transaction, owner: KeyOwner) => Promise<Prepared>

/** What is decided about a new key. */
export interface Prepared {
  expiresAt: Date | null
  /** Former keys still open the gate, so a sealed copy is kept, from which loggers get the new one. */
  isHandedOver: boolean
  record: (made: NewApiKey) => Promise<void>
}

/** A new key for the result. */
export function showNewKey(
  installation: string,
  key: { keyId: string; version: number; createdAt: Date; expiresAt: Date | null },
): NewApiKey {
  return {
    installation,
    keyId: key.keyId,
    version: key.version,
    createdAt: key.createdAt.toISOString(),
    expiresAt: key.expiresAt?.toISOString() ?? null,
  }
}
