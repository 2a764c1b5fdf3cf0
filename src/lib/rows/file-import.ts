import { basename, resolve } from 'node:path'
import { counted } from '../counted.js'
import { PartialError, UsageError } from '../errors.js'
import type { RowFormat, RowSource } from './open-rows.js'

/** What every import of a file is given. */
export interface FileImportOptions {
  /** A path, or `-` for stdin. */
  input: string
  /** Told by the input itself if absent. */
  format?: RowFormat | undefined
  /** Where refused rows are listed; beside the input if absent. */
  rejects?: string | undefined
  /** One refused row refuses all. */
  isStrict: boolean
  isDryRun: boolean
}

/** The input as the trail and messages name it. */
export function inputName(input: string): string {
  return input === '-' ? 'stdin' : basename(input)
}

/**
 * Where the refused rows of an import go.
 * @param action names the file in the working directory when the input is stdin
 */
export function rejectsPath({ input, rejects }: FileImportOptions, action: string): string {
  return rejects ?? (input === '-' ? `${action}.rejects.csv` : `${input}.rejects.csv`)
}

/** Throws UsageError when two of the files of an import are one: it would destroy it. */
export function requireDistinct(paths: readonly (string | undefined)[]): void {
  const named = paths.flatMap((path) => (path === undefined || path === '-' ? [] : [resolve(path)]))
  if (new Set(named).size < named.length)
    throw new UsageError('same-file', 'the files of an import must not be the same file')
}

/** How many rows the input has, reckoned from its size and what was read of it. */
export function estimateRows(source: RowSource, done: number): number | undefined {
  const { read, size } = source.position()
  if (size === undefined) return undefined
  return Math.max(done, Math.round((done * size) / Math.max(read, 1)))
}

/** The error for an import that refused rows, carrying its whole result. */
export function rowsRefused(
  result: { rejected: number; rejectsFile: string | null },
  { input, isStrict }: FileImportOptions,
): PartialError | UsageError {
  const rows = `${counted(result.rejected, 'row')} of ${inputName(input)}`
  const suggestions = result.rejectsFile === null ? [] : [`see ${result.rejectsFile}`]
  const options = { result, suggestions }
  return isStrict
    ? new UsageError('rows-rejected', `refused ${rows}, so nothing was taken in`, options)
    : new PartialError('rows-rejected', `refused ${rows}`, options)
}
