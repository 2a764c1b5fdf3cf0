import { randomBytes } from 'node:crypto'
import { apiKeyDigest, generateApiKey } from '../../src/lib/api-key/format.js'
import { systemClock, systemRandom } from '../../src/lib/clock.js'
import type { Database } from '../../src/lib/database/database.js'
import { deviceSecretDigest, makeDeviceSecret } from '../../src/lib/device/secret.js'
import { ensureSigningKeys } from '../../src/lib/signing-key/ensure.js'
import { loadSigner, type Signer } from '../../src/lib/signing-key/signer.js'
import { signToken } from '../../src/lib/token/sign.js'
import type { Workspace } from '../../src/lib/workspace.js'
import { testWorkspace } from './database.js'

/** A device of a test's plant. */
export interface TestDevice {
  id: string
  serial: string
  secret: string
}

/** An installation with its key, and everything to make more of the kind. */
export interface TestPlant {
  database: Database
  workspace: Workspace
  signer: Signer
  installation: { id: string; code: string }
  installerId: string
  apiKey: string
  keyId: string
  /** Another installation of the same kind. */
  addInstallation(
    code: string,
  ): Promise<{ id: string; code: string; apiKey: string; keyId: string }>
  /** Registers a device; with `at` it is installed at that installation. */
  addDevice(serial: string, at?: { id: string }): Promise<TestDevice>
  /** A key of an installation; gives its text. */
  addKey(
    installationId: string,
    row?: Record<string, unknown>,
  ): Promise<{ apiKey: string; keyId: string }>
  /** A token as the gate would sign it, with changes. */
  token(
    serial: string,
    changes?: { installation?: string; ttlMs?: number; epochs?: [number, number] },
  ): string
}

/**
 * Puts an installation `solar-0042` with an API key, an installer and signing keys into a fresh database,
 * by SQL as an owner would, so that a test of the gate depends on the gate.
 * @param given.workspace with the keyring that seals the signing keys; real time where absent
 */
export async function preparePlant(
  database: Database,
  given: { workspace?: Workspace } = {},
): Promise<TestPlant> {
  const workspace = given.workspace ?? testWorkspace(database, { clock: systemClock })
  await ensureSigningKeys(workspace)
  const signer = await loadSigner(workspace)
  let version = 0
  const addKey: TestPlant['addKey'] = async (installationId, row = {}) => {
    const { apiKey, keyId } = generateApiKey(systemRandom)
    const columns = {
      key_id: keyId,
      installation_id: installationId,
      version: (version += 1),
      state: 'CURRENT',
      digest: apiKeyDigest(apiKey.reveal()),
      ...row,
    }
    await insert(database, 'api_key', columns)
    return { apiKey: apiKey.reveal(), keyId }
  }
  const addInstallation: TestPlant['addInstallation'] = async (code) => {
    const id = await insert(database, 'installation', {
      code,
      name: code,
      timezone: 'Europe/Madrid',
      latitude: 36.84,
      longitude: -2.46,
    })
    return { id, code, ...(await addKey(id)) }
  }
  const installerId = await insert(database, 'installer', {
    email: 'installer@example.com',
    name: 'Installer',
    password_hash: randomBytes(8).toString('hex'),
  })
  const { apiKey, keyId, ...installation } = await addInstallation('solar-0042')
  return {
    database,
    workspace,
    signer,
    installation,
    installerId,
    apiKey,
    keyId,
    addInstallation,
    addKey,
    addDevice: async (serial, at) => {
      const secret = makeDeviceSecret(systemRandom).reveal()
      const id = await insert(database, 'device', {
        serial,
        model: 'CleverDx',
        batch: 'B-1',
        manufactured_at: new Date('2026-01-02'),
        secret_sha256: deviceSecretDigest(secret),
      })
      if (at) {
        await database.query(
          `insert into cleverctl.placement (device_id, installation_id, installer_id, during)
           values ($1, $2, $3, tstzrange(now() - interval '1 day', null))`,
          [id, at.id, installerId],
        )
      }
      return { id, serial, secret }
    },
    token: (serial, changes = {}) => {
      const { installation: code = installation.code, ttlMs = 900_000 } = changes
      const [installationEpoch, deviceEpoch] = changes.epochs ?? [0, 0]
      const { clock, random } = workspace
      return signToken(
        signer,
        { audience: 'ingest', installation: code, serial, installationEpoch, deviceEpoch },
        { clock, random, ttlMs },
      ).token.reveal()
    },
  }
}

async function insert(
  database: Database,
  table: string,
  columns: Record<string, unknown>,
): Promise<string> {
  const names = Object.keys(columns)
  const { rows } = await database.query<{ id: string }>(
    `insert into cleverctl.${table} (${names.join(', ')})
     values (${names.map((_, index) => `$${index + 1}`).join(', ')}) returning id`,
    Object.values(columns),
  )
  return rows[0]?.id ?? ''
}
