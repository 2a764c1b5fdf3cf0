import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { ConflictError, FailureError, UsageError } from '../errors.js'
import { errorCode, requirePlace } from '../file-system.js'
import type { Fault } from '../fault.js'

/** A row that was not taken, as the reject file tells it. */
export interface Reject extends Fault {
  line: number
  raw: string
}

const HEADER = 'line,code,reason,row\n'

/**
 * The file that lists refused rows: CSV of line number, code, reason and the row as it stood. It is
 * replaced as a whole when the run ends, so that nobody takes the rows of an earlier run for today's.
 */
export class RejectFile {
  readonly path: string
  #file: FileHandle | undefined

  private constructor(path: string) {
    this.path = path
  }

  /**
   * A reject file at `path`; nothing is written yet.
   * @throws ConflictError when something else stands there, UsageError when no file can be there
   */
  static async at(path: string): Promise<RejectFile> {
    await requirePlace(path)
    const file = await open(path, 'r').catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return undefined
      throw cannotWrite(path, error)
    })
    try {
      const head = file && (await file.read(Buffer.alloc(HEADER.length), 0, HEADER.length, 0))
      if (head && head.buffer.toString('latin1', 0, head.bytesRead) !== HEADER)
        throw new ConflictError(
          'file-exists',
          `${path} exists and is no reject file: it is not overwritten`,
          {
            suggestions: ['name another one with --rejects FILE'],
          },
        )
    } finally {
      await file?.close()
    }
    return new RejectFile(path)
  }

  /** Adds refused rows. @throws FailureError when the disk does not take them */
  async add(rejects: readonly Reject[]): Promise<void> {
    this.#file ??= await this.#begin()
    await this.#write(this.#file, rejects.map(csvLine).join(''))
  }

  /** Puts the file in its place, or takes an earlier run's away. @returns whether any row was refused */
  async publish(): Promise<boolean> {
    if (!this.#file) {
      await rm(this.path, { force: true })
      return false
    }
    await this.#file.close()
    this.#file = undefined
    await rename(this.#draft, this.path)
    return true
  }

  /** Leaves everything as it was. */
  async discard(): Promise<void> {
    if (!this.#file) return
    await this.#file.close()
    this.#file = undefined
    await rm(this.#draft, { force: true })
  }

  get #draft(): string {
    return `${this.path}.${process.pid}.tmp`
  }

  async #begin(): Promise<FileHandle> {
    const file = await open(this.#draft, 'w', 0o600).catch((error: unknown) => {
      throw cannotWrite(this.path, error)
    })
    this.#file = file
    await this.#write(file, HEADER)
    return file
  }

  async #write(file: FileHandle, text: string): Promise<void> {
    await file.writeFile(text).catch((error: unknown) => {
      throw new FailureError('cannot-write', `cannot write ${this.path} (${errorCode(error)})`, {
        cause: error,
      })
    })
  }
}

function csvLine({ line, code, reason, raw }: Reject): string {
  return `${line},${code},${quoted(reason)},${quoted(readable(raw))}\n`
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

/** Control characters as escapes; and a spreadsheet must not run what somebody put into a row. */
function readable(raw: string): string {
  const text = raw.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
  return /^[=+\-@]/.test(text) ? `'${text}` : text
}

function cannotWrite(path: string, error: unknown): UsageError {
  return new UsageError(
    'cannot-write',
    `cannot write the reject file ${path} (${errorCode(error)})`,
    {
      cause: error,
    },
  )
}
