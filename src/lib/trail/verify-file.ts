import { open } from 'node:fs/promises'
import { UsageError } from '../errors.js'
import { TrailChain, type TrailVerdict } from './chain.js'
import { rowOfLine } from './line.js'
import { sound } from './verify.js'

/**
 * Checks an exported trail without any database. Its end cannot be checked: rows cut off there are
 * missed only by whoever knows the last row's number and hash, which the verdict names.
 * Throws FindingsError, with the verdict as its result, when anything is wrong; UsageError when the
 * file cannot be read or is no export.
 */
export async function verifyTrailFile(path: string, signal: AbortSignal): Promise<TrailVerdict> {
  const chain = new TrailChain()
  let isExport = false
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new UsageError('unreadable-file', `cannot read ${path}`, { cause })
  })
  try {
    if ((await file.stat()).isDirectory()) {
      throw new UsageError('unreadable-file', `${path} is a folder`)
    }
    for await (const line of file.readLines()) {
      signal.throwIfAborted()
      const row = rowOfLine(line)
      if (row !== undefined) chain.add(row)
      else chain.addUnreadable(chain.lastSeq + 1, 'its line is not as it was exported')
      isExport ||= row !== undefined
    }
  } finally {
    await file.close()
  }
  const verdict = chain.finish('unknown')
  // Nothing to check is not the same as nothing wrong.
  if (verdict.rows === 0) throw new UsageError('empty-file', `${path} is empty`)
  if (!isExport) {
    throw new UsageError('not-a-trail', `${path} is no exported trail`, {
      suggestions: ['cleverctl trail export --output trail.ndjson'],
    })
  }
  return sound(verdict, path)
}
