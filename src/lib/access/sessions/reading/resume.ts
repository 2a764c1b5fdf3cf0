import { FailureError } from '../../../errors.js'
import type { LogFeed } from '../read-log.js'
import { HEAD_BYTES, hasHead, type LogHead } from './log-head.js'

/**
 * Gives a log piece by piece: its first {@link HEAD_BYTES} bytes and what follows the byte `from`; all of it with 0.
 */
export type LogSource = (from: number, take: (chunk: Buffer) => Promise<void>) => Promise<void>

/**
 * Goes on with a log.
 * @param log.isPacked then it comes whole: where in it a byte is, only unpacking tells
 * @param settle is called after each piece
 * @throws FailureError where another log is in its place by now, or it has fewer bytes than were read of it
 */
export async function resume(
  feed: LogFeed,
  log: { head: LogHead; isPacked: boolean },
  source: LogSource,
  settle: () => Promise<void>,
): Promise<void> {
  const { offset } = feed.point()
  const from = log.isPacked || offset <= HEAD_BYTES ? 0 : offset
  let left = from === 0 ? offset : HEAD_BYTES
  let beginning: Buffer | undefined = Buffer.alloc(0)
  await source(from, async (chunk) => {
    let bytes = chunk
    if (beginning !== undefined) {
      beginning = bytes = Buffer.concat([beginning, chunk])
      if (bytes.length < log.head.bytes) return
      if (!hasHead(bytes, log.head)) throw moved()
      beginning = undefined
    }
    const rest = bytes.subarray(left)
    left = Math.max(0, left - bytes.length)
    if (rest.length > 0) feed.take(rest)
    await settle()
  })
  if (beginning !== undefined && beginning.length < log.head.bytes) throw moved()
  if (left > 0) throw cutOff(offset - left, offset)
}

/** The failure of a log that lost its end. @param size how many bytes it has @param offset how many were read of it */
export function cutOff(size: number, offset: number): FailureError {
  return new FailureError(
    'log-cut-off',
    `it has ${size} bytes, and had ${offset} when it was read: somebody cut its end off`,
  )
}

function moved(): FailureError {
  return new FailureError(
    'log-moved',
    'another log took its place while the logs were read; the same command again reads the rest',
  )
}
