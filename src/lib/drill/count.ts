import { readFile } from 'node:fs/promises'
import { FailureError } from '../errors.js'
import { lastWords } from '../host/say.js'
import { packagedFile } from '../packaged-file.js'
import { shellWord } from '../shell-word.js'
import type { SshSession } from '../ssh/session.js'
import { digestStatements, readDigests, type TableDigest } from './digests.js'

/** Every table of a cluster at one place in its WAL. */
export interface Count {
  /** Everything before this place has been replayed, and nothing of what is behind it. */
  lsn: string
  timeline: number
  systemIdentifier: string
  tables: TableDigest[]
}

/** The biggest cluster takes hours to read. */
const LONGEST_MS = 2 * 86_400_000
const LONGEST_OUTPUT_BYTES = 512 * 1024 ** 2

/**
 * Counts all rows on a standby at one place in the WAL, behind `after`; see `count.sh`.
 * @param port PostgreSQL's
 * @throws FailureError when that is not possible now; on another standby it may be
 */
export async function countOnStandby(
  session: SshSession,
  port: number,
  after: string,
): Promise<Count> {
  const script = await readFile(packagedFile('drill/count.sh'), 'utf8')
  const result = await session.run(`exec sh -c ${shellWord(script)} count ${port} ${after}`, {
    stdin: Buffer.from(digestStatements('\\! : >"$BEGUN"')),
    timeoutMs: LONGEST_MS,
    maxOutputBytes: LONGEST_OUTPUT_BYTES,
  })
  if (result.code !== 0) throw new FailureError('not-counted', lastWords(result))
  const [place = '', ...lines] = result.stdout.toString('utf8').trimEnd().split('\n')
  return { ...(JSON.parse(place) as Omit<Count, 'tables'>), tables: readDigests(lines) }
}
