/** How pgBackRest says how far it is: `P01 DETAIL: backup file db2:/…/base/1/2 (8KB, 99.97%) checksum …`. */
const PERCENT = / backup file .*, (\d+(?:\.\d+)?)%\)/
const LABEL = / new backup label = (\S+)/
const STANDBY = / replay on the standby /

/** Reads pgBackRest's log as it comes; it has a line a file, so none is kept. */
export class BackupLog {
  readonly #onPercent: (percent: number) => void
  #rest = ''
  #label: string | undefined
  #isFromStandby = false

  constructor(onPercent: (percent: number) => void) {
    this.#onPercent = onPercent
  }

  /** Takes the next piece. */
  add(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('utf8')).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#take(line)
  }

  /** The label of the backup that was made; undefined where none was. */
  get label(): string | undefined {
    return this.#label
  }

  /** Whether the files came from a standby, which had to catch up first. */
  get isFromStandby(): boolean {
    return this.#isFromStandby
  }

  #take(line: string): void {
    const [, percent] = PERCENT.exec(line) ?? []
    if (percent !== undefined) this.#onPercent(Number(percent))
    this.#label ??= LABEL.exec(line)?.[1]
    this.#isFromStandby ||= STANDBY.test(line)
  }
}
