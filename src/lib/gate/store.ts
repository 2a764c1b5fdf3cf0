import type { Queryable } from '../database/database.js'
import type { StoredState } from '../api-key/standing.js'
import type { DeviceRow, KeyRow } from './decide-arrival.js'

/** An API key's row with what its text is compared with. */
export interface StoredKey extends KeyRow {
  digest: Buffer
}

/** A device's row with what its secret is compared with. */
export interface StoredDevice extends DeviceRow {
  secretSha256: Buffer
  previousSecretSha256: Buffer | null
  previousSecretUntil: Date | null
}

interface KeyColumns {
  id: string
  key_id: string
  version: number
  state: StoredState
  digest: Buffer
  expires_at: Date | null
  grace_until: Date | null
  installation_id: string
  installation_code: string
  token_epoch: number
  retired_at: Date | null
  wifi_version: number | null
}

/** The API key with this id; undefined when there is none. */
export async function selectKey(
  queryable: Queryable,
  keyId: string,
): Promise<StoredKey | undefined> {
  const { rows } = await queryable.query<KeyColumns>({
    name: 'gate_select_key',
    text: `select key.id, key.key_id, key.version, key.state, key.digest, key.expires_at, key.grace_until,
        installation.id as installation_id, installation.code as installation_code,
        installation.token_epoch, installation.retired_at,
        cleverctl.wifi_overlap(installation.id) as wifi_version
      from cleverctl.api_key as key
      join cleverctl.installation on installation.id = key.installation_id
      where key.key_id = $1`,
    values: [keyId],
  })
  const [row] = rows
  return (
    row && {
      id: row.id,
      keyId: row.key_id,
      version: row.version,
      state: row.state,
      digest: row.digest,
      expiresAt: row.expires_at,
      graceUntil: row.grace_until,
      installation: {
        id: row.installation_id,
        code: row.installation_code,
        tokenEpoch: row.token_epoch,
        retiredAt: row.retired_at,
        wifiVersion: row.wifi_version,
      },
    }
  )
}

interface DeviceColumns {
  id: string
  serial: string
  secret_sha256: Buffer
  previous_secret_sha256: Buffer | null
  previous_secret_until: Date | null
  token_epoch: number
  revoked_at: Date | null
  placement_installation_id: string | null
  placement_installation_code: string | null
  placement_since: Date | null
  placement_until: Date | null
}

/** The device with this serial and its latest placement; undefined when it was never manufactured. */
export async function selectDevice(
  queryable: Queryable,
  serial: string,
): Promise<StoredDevice | undefined> {
  const { rows } = await queryable.query<DeviceColumns>({
    name: 'gate_select_device',
    text: `select device.id, device.serial, device.secret_sha256, device.previous_secret_sha256,
        device.previous_secret_until, device.token_epoch, device.revoked_at,
        latest.installation_id as placement_installation_id, installation.code as placement_installation_code,
        lower(latest.during) as placement_since, upper(latest.during) as placement_until
      from cleverctl.device
      left join lateral (
        select placement.installation_id, placement.during from cleverctl.placement
        where placement.device_id = device.id order by lower(placement.during) desc limit 1
      ) as latest on true
      left join cleverctl.installation on installation.id = latest.installation_id
      where device.serial = $1`,
    values: [serial],
  })
  const [row] = rows
  if (row === undefined) return undefined
  const { placement_installation_id: installationId, placement_since: since } = row
  return {
    id: row.id,
    serial: row.serial,
    secretSha256: row.secret_sha256,
    previousSecretSha256: row.previous_secret_sha256,
    previousSecretUntil: row.previous_secret_until,
    tokenEpoch: row.token_epoch,
    revokedAt: row.revoked_at,
    placement:
      installationId === null || since === null
        ? null
        : {
            installationId,
            installationCode: row.placement_installation_code ?? '',
            since,
            until: row.placement_until,
          },
  }
}

/** What decides whether an installer's token holds; undefined for an unknown id. */
export async function selectInstaller(
  queryable: Queryable,
  installerId: string,
): Promise<{ tokenEpoch: number; disabledAt: Date | null } | undefined> {
  const { rows } = await queryable.query<{ token_epoch: number; disabled_at: Date | null }>({
    name: 'gate_select_installer',
    text: 'select token_epoch, disabled_at from cleverctl.installer where id = $1',
    values: [installerId],
  })
  const [row] = rows
  return row && { tokenEpoch: row.token_epoch, disabledAt: row.disabled_at }
}
