import type { Queryable } from '../database/database.js'
import type { Keyring } from '../keyring/keyring.js'
import { Secret } from '../secret.js'

/** The current key of an installation, for devices that still use a former one. */
export interface Successor {
  keyId: string
  apiKey: Secret
}

/** What a sealed API key is bound to: moved to another key's row, it does not open. */
export function sealIdentity(keyId: string): string {
  return `api-key:${keyId}`
}

/**
 * The key that devices of an installation are to use from now on. Undefined when no former key is waiting to
 * be replaced, or every device has the new one.
 * Throws RefusedError when the keyring cannot open it.
 */
export async function loadSuccessor(
  queryable: Queryable,
  keyring: Keyring,
  asked: { installationId: string; now: Date },
): Promise<Successor | undefined> {
  const { rows } = await queryable.query<{ key_id: string; sealed: Buffer }>({
    name: 'api_key_successor',
    text: 'select key_id, sealed from cleverctl.api_key_successor($1, $2)',
    values: [asked.installationId, asked.now],
  })
  const [row] = rows
  if (row === undefined) return undefined
  const text = keyring.open(row.sealed, sealIdentity(row.key_id))
  return { keyId: row.key_id, apiKey: new Secret(text.toString('utf8')) }
}
