import type { Fault } from '../fault.js'
import { RejectFile, type Reject } from './reject-file.js'

/** A row that was not taken, as a result names it. */
export interface ReportedReject extends Fault {
  line: number
}

/** How many refused rows a result names; the file lists all. */
const NAMED = 100

/** Collects refused rows: the first of them for the result, all for the reject file. */
export class RejectReport<Reported extends ReportedReject> {
  /** The first hundred refused rows. */
  readonly first: Reported[] = []
  readonly #file: RejectFile | undefined

  private constructor(file: RejectFile | undefined) {
    this.#file = file
  }

  /** @param path where the file will be; undefined for a dry run, which writes none */
  static async open<Reported extends ReportedReject>(
    path: string | undefined,
  ): Promise<RejectReport<Reported>> {
    return new RejectReport(path === undefined ? undefined : await RejectFile.at(path))
  }

  /** Adds refused rows. @param shorten what the result tells about one */
  async add<Refused extends Reject>(
    rows: readonly Refused[],
    shorten: (row: Refused) => Reported,
  ): Promise<void> {
    this.first.push(...rows.slice(0, NAMED - this.first.length).map(shorten))
    await this.#file?.add(rows)
  }

  /** Puts the file in its place. @returns its path; null when no row was refused, and in a dry run */
  async publish(): Promise<string | null> {
    return this.#file && (await this.#file.publish()) ? this.#file.path : null
  }

  /** Removes what was not published. */
  async discard(): Promise<void> {
    await this.#file?.discard()
  }
}
