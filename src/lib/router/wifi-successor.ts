import type { Queryable } from '../database/database.js'
import type { Keyring } from '../keyring/keyring.js'
import type { Secret } from '../secret.js'
import { openCredential } from './credential.js'

/** The Wi-Fi passphrase that loggers of an installation are to move to. */
export interface WifiSuccessor {
  version: number
  ssid: string
  passphrase: Secret
  /** When the former one ends at the latest. */
  notAfter: Date
}

/**
 * The passphrase to move to; undefined where no former one works beside it.
 * Throws RefusedError when the keyring cannot open it.
 */
export async function loadWifiSuccessor(
  queryable: Queryable,
  keyring: Keyring,
  installationId: string,
): Promise<WifiSuccessor | undefined> {
  const { rows } = await queryable.query<{
    credentialId: string
    version: number
    ssid: string
    sealed: Buffer
    notAfter: Date
  }>({
    name: 'wifi_successor',
    text: `select credential_id as "credentialId", version, ssid, sealed, grace_until as "notAfter"
      from cleverctl.wifi_successor($1)`,
    values: [installationId],
  })
  const [row] = rows
  if (row === undefined) return undefined
  const { version, ssid, notAfter } = row
  return { version, ssid, notAfter, passphrase: openCredential(keyring, row) }
}
