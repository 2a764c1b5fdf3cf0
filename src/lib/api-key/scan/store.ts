import type { Queryable } from '../../database/database.js'
import type { ApiKeyLife } from '../standing.js'

/** An API key that a found text may be. */
export interface KnownApiKey extends ApiKeyLife {
  keyId: string
  digest: Buffer
  installation: string
  installationRetiredAt: Date | null
}

/** The API keys with these ids; an unknown id is absent. */
export async function selectKeysById(
  queryable: Queryable,
  keyIds: readonly string[],
): Promise<KnownApiKey[]> {
  const { rows } = await queryable.query<KnownApiKey>(
    `select key.key_id as "keyId", key.digest, key.state, key.expires_at as "expiresAt",
       key.grace_until as "graceUntil", installation.code as installation,
       installation.retired_at as "installationRetiredAt"
     from cleverctl.api_key as key
     join cleverctl.installation on installation.id = key.installation_id
     where key.key_id = any($1::text[])`,
    [keyIds],
  )
  return rows
}

/** A device one of whose secrets was found. */
export interface KnownDevice {
  serial: string
  secretSha256: Buffer
  previousSecretSha256: Buffer | null
  previousSecretUntil: Date | null
  revokedAt: Date | null
  /** Where it stands; null where it stands nowhere. */
  installation: string | null
}

/**
 * The devices with these digests. There is no index on digests, which would cost every import more than
 * this costs a scan: all devices are read once, some half a second for a million.
 */
export async function selectDevicesByDigest(
  queryable: Queryable,
  digests: readonly Buffer[],
): Promise<KnownDevice[]> {
  const { rows } = await queryable.query<KnownDevice>(
    `select device.serial, device.secret_sha256 as "secretSha256",
       device.previous_secret_sha256 as "previousSecretSha256",
       device.previous_secret_until as "previousSecretUntil", device.revoked_at as "revokedAt",
       (select installation.code from cleverctl.placement
        join cleverctl.installation on installation.id = placement.installation_id
        where placement.device_id = device.id and upper_inf(placement.during)) as installation
     from cleverctl.device
     where device.secret_sha256 = any($1::bytea[])
        or device.previous_secret_sha256 = any($1::bytea[])`,
    [digests],
  )
  return rows
}
