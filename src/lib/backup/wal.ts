/** A file in an archive of WAL. */
export interface ArchivedFile {
  /** Generation of the cluster, `15-1`. */
  archive: string
  name: string
  bytes: number
}

/** Where a timeline left another, from its history file. */
export interface Fork {
  archive: string
  timeline: number
  parent: number
  /** The place in the WAL. */
  lsn: bigint
}

/** Something wrong with the archive. */
export interface WalFault {
  code: 'wal-gap' | 'wal-size' | 'wal-twice'
  archive: string
  timeline: number
  /** First and last segment that it is about. */
  from: string
  to: string
  message: string
}

/** A stretch of a timeline that must be whole, both ends included. */
export interface WalNeed {
  archive: string
  timeline: number
  from: bigint
  to: bigint
}

interface Segment {
  archive: string
  timeline: number
  number: bigint
  bytes: number
  isPlain: boolean
}

const SEGMENT = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})(?:-[0-9a-f]{40})?(\.[a-z0-9]+)?$/
const XLOG_BYTES = 1n << 32n
/** What an encrypted file is longer at most: a salt, and the filling of the last block. */
const CIPHER_BYTES = 32
/** No compressed segment is as small as that: it holds a page's header at least. */
const SMALLEST_COMPRESSED = 64

/** Number of a segment on its timeline, from its 24 digits. */
export function segmentNumber(name: string, segmentBytes: number): bigint {
  const perXlog = XLOG_BYTES / BigInt(segmentBytes)
  return BigInt(`0x${name.slice(8, 16)}`) * perXlog + BigInt(`0x${name.slice(16, 24)}`)
}

/** Timeline of a segment, from its 24 digits. */
export function timelineOf(name: string): number {
  return Number.parseInt(name.slice(0, 8), 16)
}

/** The 24 digits of a segment. */
export function segmentName(timeline: number, number: bigint, segmentBytes: number): string {
  const perXlog = XLOG_BYTES / BigInt(segmentBytes)
  const hex = (value: bigint) => value.toString(16).toUpperCase().padStart(8, '0')
  return hex(BigInt(timeline)) + hex(number / perXlog) + hex(number % perXlog)
}

/**
 * Looks for what is missing, of a wrong size, or there twice in an archive. Pure. WAL before the first need may have
 * been expired; from there on every timeline must be whole, up to its last segment or to where it was last needed.
 * @param needs what backups begin and end with, and what the primary has archived
 */
export function findWalFaults(given: {
  files: readonly ArchivedFile[]
  forks: readonly Fork[]
  needs: readonly WalNeed[]
  segmentBytes: number
}): WalFault[] {
  const { files, forks, needs, segmentBytes } = given
  const segments = files.flatMap((file) => segmentOf(file, segmentBytes))
  const faults = segments.flatMap((segment) => sizeFault(segment, segmentBytes))
  const lines = new Map<string, Segment[]>()
  for (const segment of segments) {
    const key = lineKey(segment)
    lines.set(key, [...(lines.get(key) ?? []), segment])
  }
  for (const need of needs) if (!lines.has(lineKey(need))) lines.set(lineKey(need), [])
  for (const [key, line] of lines) {
    const [archive = '', timelineText = ''] = key.split(' ')
    const timeline = Number(timelineText)
    const present = new Set(line.map(({ number }) => number))
    faults.push(...twiceFaults(line, segmentBytes))
    const stretch = stretchOf({ archive, timeline, present, forks, needs, segmentBytes })
    if (stretch !== undefined)
      faults.push(...gaps({ archive, timeline, present, ...stretch }, segmentBytes))
  }
  return faults
}

function lineKey({ archive, timeline }: { archive: string; timeline: number }): string {
  return `${archive} ${timeline}`
}

function segmentOf({ archive, name, bytes }: ArchivedFile, segmentBytes: number): Segment[] {
  const [, , , , suffix] = SEGMENT.exec(name) ?? []
  if (!SEGMENT.test(name)) return []
  const number = segmentNumber(name, segmentBytes)
  return [{ archive, timeline: timelineOf(name), number, bytes, isPlain: suffix === undefined }]
}

function sizeFault(segment: Segment, segmentBytes: number): WalFault[] {
  const { archive, timeline, number, bytes, isPlain } = segment
  const isGood = isPlain
    ? bytes >= segmentBytes && bytes <= segmentBytes + CIPHER_BYTES
    : bytes >= SMALLEST_COMPRESSED
  if (isGood) return []
  const name = segmentName(timeline, number, segmentBytes)
  const message = `${name} has ${bytes} bytes in the archive`
  return [{ code: 'wal-size', archive, timeline, from: name, to: name, message }]
}

/** The same segment with two contents: two servers wrote one timeline. */
function twiceFaults(line: readonly Segment[], segmentBytes: number): WalFault[] {
  const seen = new Set<bigint>()
  return line.flatMap(({ archive, timeline, number }) => {
    if (!seen.has(number)) {
      seen.add(number)
      return []
    }
    const name = segmentName(timeline, number, segmentBytes)
    const message = `${name} is in the archive with two contents: two servers wrote it`
    return [{ code: 'wal-twice' as const, archive, timeline, from: name, to: name, message }]
  })
}

/** From where to where a timeline must be whole; undefined where nobody needs it. */
function stretchOf(given: {
  archive: string
  timeline: number
  present: ReadonlySet<bigint>
  forks: readonly Fork[]
  needs: readonly WalNeed[]
  segmentBytes: number
}): { from: bigint; to: bigint } | undefined {
  const { archive, timeline, present, forks, needs, segmentBytes } = given
  const isHere = (each: { archive: string; timeline: number }) =>
    each.archive === archive && each.timeline === timeline
  const mine = needs.filter(isHere)
  const all = needs.filter((need) => need.archive === archive)
  if (all.length === 0) return undefined
  const begun = forks.find(isHere)
  const oldest = all.map(({ from }) => from).reduce(least)
  // A timeline begins with the segment in which it left its parent, of which it has a copy.
  const start = begun ? begun.lsn / BigInt(segmentBytes) : undefined
  const from = start !== undefined && start > oldest ? start : oldest
  const left = forks
    .filter((fork) => fork.archive === archive && fork.parent === timeline)
    .map(({ lsn }) => lsn / BigInt(segmentBytes) - 1n)
  const ends = [...present, ...mine.map(({ to }) => to), ...left]
  return ends.length === 0 ? undefined : { from, to: ends.reduce(greatest) }
}

const least = (a: bigint, b: bigint) => (a < b ? a : b)
const greatest = (a: bigint, b: bigint) => (a > b ? a : b)

function gaps(
  given: {
    archive: string
    timeline: number
    present: ReadonlySet<bigint>
    from: bigint
    to: bigint
  },
  segmentBytes: number,
): WalFault[] {
  const { archive, timeline, present, from, to } = given
  const found: WalFault[] = []
  const here = [...present].filter((number) => number >= from && number <= to)
  const marks = [from - 1n, ...here.sort((a, b) => (a < b ? -1 : 1)), to + 1n]
  for (const [index, before] of marks.entries()) {
    const after = marks[index + 1]
    if (after === undefined || after - before <= 1n) continue
    const name = (number: bigint) => segmentName(timeline, number, segmentBytes)
    const [first, last] = [name(before + 1n), name(after - 1n)]
    const count = after - before - 1n
    const message =
      count === 1n ? `${first} is missing` : `${count} segments are missing: ${first} to ${last}`
    found.push({ code: 'wal-gap', archive, timeline, from: first, to: last, message })
  }
  return found
}
