import { ConflictError, UsageError } from '../errors.js'
import type { Row } from '../rows/csv.js'
import { Secret } from '../secret.js'
import { transactionWithDelivery, type SecretDelivery } from '../secret-delivery.js'
import { appendTrail, type TrailEntry } from '../trail/append.js'
import type { Workspace } from '../workspace.js'
import { registerRows, type RegistrationOptions } from './registration.js'
import { lockRegistration, registeredMeanwhile, runRegistration } from './registration-run.js'
import type { RejectedRow } from './row.js'
import { parseSerial } from './types.js'

/** What became of devices that were to be registered. */
export interface RegisteredDevices {
  serials: string[]
  registered: number
  unchanged: number
  /** The file that holds the new secrets; null when there are none or they went elsewhere. */
  secretsFile: string | null
  /** The new secret, only when it was asked for in the result. */
  secret?: string
}

/** Devices with their common facts. */
export interface DevicesToRegister {
  serials: readonly string[]
  model: string
  batch: string
  /** A date or a time of RFC 3339; now if absent. */
  manufacturedAt: string | undefined
  /** File for the secrets. */
  secretsOut: string | undefined
  /** Takes the secret of a single device that has no file. */
  delivery: SecretDelivery | undefined
}

/**
 * Registers devices, all or none, and delivers their secrets. A device that is registered with the
 * same values already is left as it is.
 * @throws UsageError for a bad value, or when the secrets have nowhere to go
 * @throws ConflictError when a device is registered with other values, or the secrets file exists
 */
export async function registerDevices(
  workspace: Workspace,
  asked: DevicesToRegister,
): Promise<RegisteredDevices> {
  const serials = [...new Set(asked.serials.map(parseSerial))]
  const { model, batch, secretsOut, delivery } = asked
  const manufacturedAt = asked.manufacturedAt ?? workspace.clock.now().toISOString()
  const refused: RejectedRow[] = []
  const rows = serials.map((serial, index) => ({
    line: index + 1,
    raw: serial,
    values: [serial, model, batch, manufacturedAt],
  }))
  const options = {
    isTimeGiven: asked.manufacturedAt !== undefined,
    reject: async (rejected: readonly RejectedRow[]) => void refused.push(...rejected),
    progress: () => undefined,
  }
  const trail = {
    action: 'device.register',
    subject: serials.length === 1 ? String(serials[0]) : `${serials.length} devices`,
    details: { model, batch, ...(serials.length === 1 ? {} : { serials }) },
  }
  if (secretsOut !== undefined) {
    const run = { ...options, rows: once(rows), secretsOut, isStrict: true, trail: () => trail }
    const { imported, unchanged, secretsFile } = await runRegistration(workspace, run)
    requireNoneRefused(refused)
    return { serials, registered: imported, unchanged, secretsFile: secretsFile ?? null }
  }
  if (!delivery || serials.length > 1) throw nowhereToGo()
  const isNew = await registerOne(workspace, { rows, options, refused, trail, delivery })
  const revealed = delivery.revealed()
  return {
    serials,
    registered: isNew ? 1 : 0,
    unchanged: isNew ? 0 : 1,
    secretsFile: null,
    ...(revealed === undefined ? {} : { secret: revealed }),
  }
}

/** @returns false when the device is registered already */
async function registerOne(
  workspace: Workspace,
  given: {
    rows: readonly Row[]
    options: Omit<RegistrationOptions, 'secrets'>
    refused: readonly RejectedRow[]
    trail: TrailEntry
    delivery: SecretDelivery
  },
): Promise<boolean> {
  const { database, actor } = workspace
  const { options, refused, trail, delivery } = given
  const rehearsed = await database.transaction((transaction) =>
    registerRows(workspace, transaction, once(given.rows), { ...options, secrets: undefined }),
  )
  requireNoneRefused(refused)
  if (rehearsed.imported === 0) return false
  return transactionWithDelivery(database, delivery, async (transaction) => {
    await lockRegistration(workspace, transaction)
    let secret: Secret | undefined
    const secrets = {
      write: async (line: Buffer) => {
        secret = new Secret(line.toString('latin1', line.indexOf(',') + 1, line.length - 1))
      },
    }
    await registerRows(workspace, transaction, once(given.rows), { ...options, secrets })
    if (!secret) throw registeredMeanwhile()
    await appendTrail(transaction, actor, trail)
    return { secret, result: true }
  })
}

async function* once(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  yield rows
}

function requireNoneRefused([first]: readonly RejectedRow[]): void {
  if (!first) return
  const { serial, code, reason } = first
  if (code !== 'registered-differently') throw new UsageError(code, reason)
  throw new ConflictError(code, `device ${serial ?? ''}: ${reason}`, {
    suggestions: [`cleverctl device show ${serial ?? ''}`],
  })
}

function nowhereToGo(): UsageError {
  return new UsageError(
    'missing-secrets-out',
    'new secrets need a file: --secrets-out is missing',
    {
      suggestions: ['cleverctl device register CDX-000123 --secrets-out secrets.csv'],
    },
  )
}
