import type { Transaction } from '../database/database.js'
import type { Row } from '../rows/csv.js'
import type { Workspace } from '../workspace.js'
import { copyText } from './copy-text.js'
import { RegistrationTarget } from './registration-target.js'
import { DeviceRowReader, detached, type DeviceRow, type RejectedRow } from './row.js'
import { SecretMint } from './secret.js'
import { DeviceIdSet, siftDevices } from './sift.js'

/** What became of the rows of one run. */
export interface RegistrationCounts {
  imported: number
  unchanged: number
  rejected: number
  /** Batches of the new devices, the first {@link BATCHES_NAMED} of them. */
  batches: string[]
}

/** Where a run's output goes, and how it compares. */
export interface RegistrationOptions {
  /** Takes lines `serial,secret`. Absent in a dry run. */
  secrets: { write(lines: Buffer): Promise<void> } | undefined
  /** Takes the refused rows, in their order. */
  reject: (rows: readonly RejectedRow[]) => Promise<void>
  /** Rows settled so far. */
  progress: (rows: number) => void
  /** False where the time of manufacture is only a default and not compared; true if absent. */
  isTimeGiven?: boolean
}

/**
 * Rows looked up and copied together: enough that shuffled rows, sorted, meet on the pages of the
 * index, and little enough for flat memory.
 */
const CHUNK_ROWS = 8_000
/** The same bound for rows that are much longer than a device's should be; in characters. */
const CHUNK_LENGTH = 4 * 1024 * 1024
/** How many batches the trail names. */
const BATCHES_NAMED = 20

/** Rows that are settled together, in their order. */
interface Chunk {
  devices: DeviceRow[]
  rejected: RejectedRow[]
  length: number
}

/**
 * Registers the devices of many rows inside one transaction, in bounded memory. While one chunk is
 * copied into the database the next is read and checked. The caller holds the registration lock,
 * publishes the secrets and commits.
 * @throws whatever the workspace's signal was aborted with
 */
export async function registerRows(
  workspace: Workspace,
  transaction: Transaction,
  blocks: AsyncIterable<readonly Row[]>,
  options: RegistrationOptions,
): Promise<RegistrationCounts> {
  const table = options.secrets ? 'registry' : 'dry-run'
  const target = await RegistrationTarget.open(transaction, table)
  const registration = new Registration(workspace, target, options)
  try {
    return await registration.run(blocks)
  } catch (error) {
    await target.abort()
    throw error
  }
}

class Registration {
  readonly #signal: AbortSignal
  readonly #target: RegistrationTarget
  readonly #reader: DeviceRowReader
  readonly #mint: SecretMint
  readonly #options: RegistrationOptions
  readonly #met = new DeviceIdSet()
  readonly #counts: RegistrationCounts = { imported: 0, unchanged: 0, rejected: 0, batches: [] }

  constructor(workspace: Workspace, target: RegistrationTarget, options: RegistrationOptions) {
    this.#signal = workspace.signal
    this.#target = target
    this.#reader = new DeviceRowReader(workspace.clock.now())
    this.#mint = new SecretMint(workspace.random)
    this.#options = options
  }

  async run(blocks: AsyncIterable<readonly Row[]>): Promise<RegistrationCounts> {
    let chunk = emptyChunk()
    let settling = Promise.resolve()
    try {
      for await (const rows of blocks) {
        for (const row of rows) {
          this.#add(chunk, row)
          if (!isFull(chunk)) continue
          await settling
          settling = this.#settle(chunk)
          // Its failure is met at the next await; until then it must not count as unhandled.
          settling.catch(() => undefined)
          chunk = emptyChunk()
        }
      }
      await settling
      await this.#settle(chunk)
      await this.#target.end()
    } finally {
      // A statement that still runs would meet the rollback.
      await settling.catch(() => undefined)
      this.#mint.dispose()
    }
    return this.#counts
  }

  #add(chunk: Chunk, row: Row): void {
    const read = this.#reader.read(row)
    if ('code' in read) chunk.rejected.push(read)
    else chunk.devices.push(read)
    chunk.length += row.raw.length
  }

  async #settle({ devices, rejected }: Chunk): Promise<void> {
    const { isTimeGiven = true, reject, progress } = this.#options
    const known = await this.#target.known(devices)
    const sifted = siftDevices(devices, known, this.#met, isTimeGiven)
    await this.#register(sifted.fresh)
    const refused = [...rejected, ...sifted.rejected].sort((one, other) => one.line - other.line)
    if (refused.length > 0) await reject(refused)
    const counts = this.#counts
    counts.imported += sifted.fresh.length
    counts.unchanged += sifted.unchanged
    counts.rejected += refused.length
    progress(counts.imported + counts.unchanged + counts.rejected)
  }

  async #register(devices: readonly DeviceRow[]): Promise<void> {
    const { secrets } = this.#options
    let sending = Promise.resolve()
    for (const { copy, lines } of copyText(devices, this.#mint, secrets !== undefined)) {
      this.#signal.throwIfAborted()
      // While one piece is on its way the next is made.
      await Promise.all([sending, secrets?.write(lines)])
      sending = this.#target.write(copy)
      sending.catch(() => undefined)
    }
    await sending
    this.#nameBatches(devices)
  }

  #nameBatches(devices: readonly DeviceRow[]): void {
    const { batches } = this.#counts
    for (const { batch } of devices) {
      if (batches.length === BATCHES_NAMED) return
      if (!batches.includes(batch)) batches.push(detached(batch))
    }
  }
}

function emptyChunk(): Chunk {
  return { devices: [], rejected: [], length: 0 }
}

function isFull({ devices, rejected, length }: Chunk): boolean {
  return devices.length + rejected.length >= CHUNK_ROWS || length >= CHUNK_LENGTH
}
