import type { Transaction } from '../database/database.js'
import { DeviceCopy } from './device-copy.js'
import {
  createDryRunTable,
  openDeviceCopy,
  selectKnownDevices,
  selectLastDeviceId,
  selectNextSerial,
  type RegistrationTable,
} from './registration-store.js'
import type { DeviceRow } from './row.js'
import type { KnownDevice } from './sift.js'

/**
 * The registry as one run sees and fills it. New devices go through one long COPY, which is
 * interrupted only when rows have to be looked up, because a connection that copies answers nothing.
 * Where serials ascend and are new, as those of a lot do, one look at the index is enough for all.
 */
export class RegistrationTarget {
  readonly #transaction: Transaction
  readonly #table: RegistrationTable
  /** The highest id before this run. */
  readonly #lastId: number
  #copy: DeviceCopy | undefined
  /** Serials after the first and before the second of these are known to be unused. */
  #unused: { after: string; before: string | null } | undefined

  private constructor(transaction: Transaction, table: RegistrationTable, lastId: number) {
    this.#transaction = transaction
    this.#table = table
    this.#lastId = lastId
  }

  /** @param table for a dry run it is made here */
  static async open(
    transaction: Transaction,
    table: RegistrationTable,
  ): Promise<RegistrationTarget> {
    if (table === 'dry-run') await createDryRunTable(transaction)
    return new RegistrationTarget(transaction, table, await selectLastDeviceId(transaction))
  }

  /** The registered ones among the rows, those of this run included. */
  async known(devices: readonly DeviceRow[]): Promise<Map<string, KnownDevice>> {
    const [low, high] = rangeOf(devices)
    if (low === undefined || high === undefined) return new Map()
    if (!this.#isUnused(low, high)) {
      await this.end()
      const next = await selectNextSerial(this.#transaction, this.#table, low)
      this.#unused = undefined
      if (next !== null && next <= high) return this.#lookUp(devices)
      this.#unused = { after: low, before: next }
    }
    this.#unused = { after: high, before: this.#unused?.before ?? null }
    return new Map()
  }

  /** Adds devices as COPY text. */
  async write(text: string): Promise<void> {
    this.#copy ??= new DeviceCopy(await openDeviceCopy(this.#transaction, this.#table))
    await this.#copy.write(text)
  }

  /** Completes what was written. */
  async end(): Promise<void> {
    const copy = this.#copy
    this.#copy = undefined
    await copy?.end()
  }

  /** Gives up what was not completed, so that the transaction can be rolled back. */
  async abort(): Promise<void> {
    await this.#copy?.abort()
  }

  #isUnused(low: string, high: string): boolean {
    if (!this.#unused) return false
    const { after, before } = this.#unused
    return low > after && (before === null || high < before)
  }

  async #lookUp(devices: readonly DeviceRow[]): Promise<Map<string, KnownDevice>> {
    const serials = devices.map(({ serial }) => serial)
    return selectKnownDevices(this.#transaction, this.#table, serials, this.#lastId)
  }
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
