import type { Transaction } from '../database/database.js'
import { leftover, openSecretFile, type SecretFile } from '../new-secret-file.js'
import { hasImport } from './registration-store.js'

const HEADER = 'serial,secret\n'

/**
 * The file for the secrets of newly registered devices: CSV of serial and secret, made when the
 * first of them is there.
 */
export class SecretsOut {
  readonly path: string
  #file: SecretFile | undefined

  constructor(path: string) {
    this.path = path
  }

  /** Whether any secret was written. */
  get isBegun(): boolean {
    return this.#file !== undefined
  }

  /**
   * Settles what an interrupted run left of the file: kept when its devices are registered, else
   * removed. The registration lock must be held: a run that is still under way looks the same.
   * @returns whether that run had committed
   */
  async settleLeftover(transaction: Transaction): Promise<boolean> {
    const left = await leftover(this.path)
    if (!left) return false
    try {
      const hasCommitted = await hasImport(transaction, await left.sha256())
      await (hasCommitted ? left.complete() : left.discard())
      return hasCommitted
    } finally {
      await left.close()
    }
  }

  /** Adds lines. @throws ConflictError when the file exists, from an earlier run or of somebody else's */
  async write(lines: Buffer): Promise<void> {
    if (!this.#file) {
      this.#file = await openSecretFile(this.path)
      await this.#file.write(HEADER)
    }
    await this.#file.write(lines)
  }

  /** Puts the file in its place; before the commit. @returns its SHA-256 */
  async publish(): Promise<Buffer> {
    if (!this.#file) throw new Error('no secret was written')
    await this.#file.publish()
    return this.#file.sha256()
  }

  /** After the commit. */
  async finish(): Promise<void> {
    await this.#file?.finish()
  }

  /** After a rollback: nothing is left of the file. */
  async discard(): Promise<void> {
    await this.#file?.discard()
  }
}
