import { pipeline } from 'node:stream/promises'
import type { Transaction } from '../database/database.js'
import type { Row } from '../rows/csv.js'
import type { Workspace } from '../workspace.js'
import { copyText } from './copy-text.js'
import {
  createDryRunTable,
  hasSerialBetween,
  openDeviceCopy,
  selectDryRunSerials,
  selectKnownDevices,
  selectLastDeviceId,
} from './registration-store.js'
import { DeviceRowReader, detached, type DeviceRow, type RejectedRow } from './row.js'
import { SecretMint } from './secret.js'
import { DeviceIdSet, siftDevices, type KnownDevice } from './sift.js'

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

/** Rows looked up and copied together: enough to make a round trip cheap, little enough for flat memory. */
const CHUNK_ROWS = 4_000
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
 * @throws whatever `signal` was aborted with
 */
export class Registration {
  readonly counts: RegistrationCounts = { imported: 0, unchanged: 0, rejected: 0, batches: [] }
  readonly #transaction: Transaction
  readonly #signal: AbortSignal
  readonly #reader: DeviceRowReader
  readonly #mint: SecretMint
  readonly #options: RegistrationOptions
  readonly #met = new DeviceIdSet()
  #lastId = 0

  constructor(workspace: Workspace, transaction: Transaction, options: RegistrationOptions) {
    this.#transaction = transaction
    this.#signal = workspace.signal
    this.#reader = new DeviceRowReader(workspace.clock.now())
    this.#mint = new SecretMint(workspace.random)
    this.#options = options
  }

  /** Registers all rows and counts what became of them. */
  async run(blocks: AsyncIterable<readonly Row[]>): Promise<RegistrationCounts> {
    this.#lastId = await selectLastDeviceId(this.#transaction)
    if (!this.#options.secrets) await createDryRunTable(this.#transaction)
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
    } finally {
      // A statement that still runs would meet the rollback.
      await settling.catch(() => undefined)
      this.#mint.dispose()
    }
    return this.counts
  }

  #add(chunk: Chunk, row: Row): void {
    const read = this.#reader.read(row)
    if ('code' in read) chunk.rejected.push(read)
    else chunk.devices.push(read)
    chunk.length += row.raw.length
  }

  async #settle({ devices, rejected }: Chunk): Promise<void> {
    this.#signal.throwIfAborted()
    const known = await this.#known(devices)
    const sifted = siftDevices(devices, known, this.#met, this.#options.isTimeGiven ?? true)
    if (sifted.fresh.length > 0) await this.#copy(sifted.fresh)
    const refused = [...rejected, ...sifted.rejected].sort((one, other) => one.line - other.line)
    if (refused.length > 0) await this.#options.reject(refused)
    this.counts.imported += sifted.fresh.length
    this.counts.unchanged += sifted.unchanged
    this.counts.rejected += refused.length
    const { imported, unchanged, rejected: refusedSoFar } = this.counts
    this.#options.progress(imported + unchanged + refusedSoFar)
  }

  /** The registered ones among the rows. A file of a new lot is told apart by one look at an index. */
  async #known(devices: readonly DeviceRow[]): Promise<Map<string, KnownDevice>> {
    const [low, high] = rangeOf(devices)
    if (low === undefined || high === undefined) return new Map()
    const serials = devices.map(({ serial }) => serial)
    const isAnyKnown = await hasSerialBetween(this.#transaction, low, high)
    const known = isAnyKnown
      ? await selectKnownDevices(this.#transaction, serials, this.#lastId)
      : new Map<string, KnownDevice>()
    if (this.#options.secrets) return known
    for (const serial of await selectDryRunSerials(this.#transaction, serials)) {
      known.set(serial, { id: 0, model: '', batch: '', manufacturedAt: 0, isOfThisRun: true })
    }
    return known
  }

  async #copy(devices: readonly DeviceRow[]): Promise<void> {
    const { secrets } = this.#options
    const stream = await openDeviceCopy(this.#transaction, secrets ? 'registry' : 'dry-run')
    await pipeline(copyText(devices, this.#mint, secrets), stream, { signal: this.#signal })
    this.#nameBatches(devices)
  }

  #nameBatches(devices: readonly DeviceRow[]): void {
    const { batches } = this.counts
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

/** The first and the last serial in byte order, which is how the database compares them. */
function rangeOf(devices: readonly DeviceRow[]): [low?: string, high?: string] {
  let [low, high] = [devices[0]?.serial, devices[0]?.serial]
  for (const { serial } of devices) {
    if (low === undefined || serial < low) low = serial
    if (high === undefined || serial > high) high = serial
  }
  return low === undefined || high === undefined ? [] : [low, high]
}
