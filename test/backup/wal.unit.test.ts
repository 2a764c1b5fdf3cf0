import assert from 'node:assert/strict'
import { readVerify } from '../../src/lib/backup/verify-output.js'
import {
  findWalFaults,
  segmentName,
  segmentNumber,
  type ArchivedFile,
  type Fork,
  type WalNeed,
} from '../../src/lib/backup/wal.js'

const MIB = 1024 ** 2
const segmentBytes = 16 * MIB
const SUM = 'ee710454a7e0939e8a1c6913cb7c5c0bc52751aa'

const file = (
  timeline: number,
  number: number,
  more: Partial<ArchivedFile> = {},
): ArchivedFile => ({
  archive: '15-1',
  name: `${segmentName(timeline, BigInt(number), segmentBytes)}-${SUM}.zst`,
  bytes: 700,
  ...more,
})
const files = (timeline: number, from: number, to: number): ArchivedFile[] =>
  Array.from({ length: to - from + 1 }, (_, index) => file(timeline, from + index))
const need = (timeline: number, from: number, to: number): WalNeed => ({
  archive: '15-1',
  timeline,
  from: BigInt(from),
  to: BigInt(to),
})
/** Timeline 2 leaves timeline 1 in the middle of a segment. */
const fork = (number: number): Fork => ({
  archive: '15-1',
  timeline: 2,
  parent: 1,
  lsn: BigInt(number) * BigInt(segmentBytes) + 96n,
})

const CASES: [string, Partial<Parameters<typeof findWalFaults>[0]>, string[]][] = [
  ['an archive without a gap', { files: files(1, 1, 9), needs: [need(1, 3, 4)] }, []],
  [
    'a gap in the middle',
    { files: [...files(1, 1, 5), ...files(1, 7, 9)], needs: [need(1, 3, 4)] },
    ['wal-gap 1:6-6'],
  ],
  [
    'a gap before the oldest backup',
    { files: [file(1, 1), ...files(1, 3, 9)], needs: [need(1, 3, 4)] },
    [],
  ],
  [
    'the first segment of a backup missing',
    { files: files(1, 4, 9), needs: [need(1, 3, 4)] },
    ['wal-gap 1:3-3'],
  ],
  [
    'the last archived segment missing',
    { files: files(1, 3, 8), needs: [need(1, 3, 4), need(1, 9, 9)] },
    ['wal-gap 1:9-9'],
  ],
  ['a whole timeline missing', { files: [], needs: [need(1, 3, 5)] }, ['wal-gap 1:3-5']],
  [
    'a gap over the end of an xlog file',
    { files: [...files(1, 250, 254), ...files(1, 258, 260)], needs: [need(1, 250, 251)] },
    ['wal-gap 1:255-257'],
  ],
  [
    'two timelines',
    { files: [...files(1, 3, 5), ...files(2, 6, 9)], forks: [fork(6)], needs: [need(1, 3, 4)] },
    [],
  ],
  [
    'the last segment before a fork missing',
    { files: [...files(1, 3, 4), ...files(2, 6, 9)], forks: [fork(6)], needs: [need(1, 3, 4)] },
    ['wal-gap 1:5-5'],
  ],
  [
    'the first segment after a fork missing',
    { files: [...files(1, 3, 5), ...files(2, 7, 9)], forks: [fork(6)], needs: [need(1, 3, 4)] },
    ['wal-gap 2:6-6'],
  ],
  [
    'an empty segment',
    { files: [...files(1, 3, 4), file(1, 5, { bytes: 0 })], needs: [need(1, 3, 4)] },
    ['wal-size 1:5-5'],
  ],
  [
    'an uncompressed segment that is too short',
    {
      files: [
        file(1, 3, { name: `${segmentName(1, 3n, segmentBytes)}-${SUM}`, bytes: segmentBytes - 1 }),
      ],
      needs: [need(1, 3, 3)],
    },
    ['wal-size 1:3-3'],
  ],
  [
    'an uncompressed segment that is encrypted',
    {
      files: [
        file(1, 3, {
          name: `${segmentName(1, 3n, segmentBytes)}-${SUM}`,
          bytes: segmentBytes + 32,
        }),
      ],
      needs: [need(1, 3, 3)],
    },
    [],
  ],
  [
    'two contents of one segment',
    {
      files: [
        file(1, 3),
        file(1, 3, { name: `${segmentName(1, 3n, segmentBytes)}-${SUM.replace('ee', 'ff')}.zst` }),
      ],
      needs: [need(1, 3, 3)],
    },
    ['wal-twice 1:3-3'],
  ],
]

describe('walking the archive of WAL', () => {
  for (const [name, given, wanted] of CASES)
    it(`finds ${wanted.join() || 'nothing'} in ${name}`, () => {
      const all = { files: [], forks: [], needs: [], segmentBytes, ...given }
      const found = findWalFaults(all).map(({ code, timeline, from, to }) => {
        const [first, last] = [segmentNumber(from, segmentBytes), segmentNumber(to, segmentBytes)]
        return `${code} ${timeline}:${first}-${last}`
      })
      assert.deepEqual(found, wanted)
    })

  it('counts segments of any size', () => {
    for (const size of [MIB, 16 * MIB, 1024 * MIB]) {
      assert.equal(segmentNumber(segmentName(7, 4321n, size), size), 4321n)
    }
    assert.equal(segmentName(1, 256n, segmentBytes), '000000010000000100000000')
  })
})

describe("reading pgBackRest's verify", () => {
  const LISTED = '20261125-200933F'
  const text = (status: string, wal: number, backup: string) => `stanza: main
status: ${status}
  archiveId: 15-1, total WAL checked: 5, total valid WAL: ${wal}
    missing: 0, checksum invalid: ${5 - wal}, size invalid: 0, other: 0
  backup: ${LISTED}, status: ${backup}, total files checked: 965, total valid files: 964
    missing: 0, checksum invalid: 1, size invalid: 0, other: 0
`
  const unfinished = (label: string) =>
    `${text('ok', 5, 'valid')}  backup: ${label}, status: in-progress, total files checked: 0, total valid files: 0\n`
  const CODES: [string, string, string[] | undefined][] = [
    ['all is well', text('ok', 5, 'valid'), []],
    ['a segment is damaged', text('error', 4, 'valid'), ['archive-invalid']],
    ['a backup is damaged', text('error', 5, 'invalid'), ['backup-invalid']],
    ['a backup is being made, or was interrupted', unfinished('20261125-211500F'), []],
    ['a backup of the list has lost its manifest', unfinished(LISTED), ['backup-invalid']],
    ['it says error and nothing else', 'stanza: main\nstatus: error\n', ['archive-invalid']],
    // 2.45 without --verbose, whatever it found.
    ['it says nothing', '', undefined],
  ]
  for (const [name, said, wanted] of CODES)
    it(`finds ${wanted?.join() ?? 'that nothing is known'} when ${name}`, () => {
      assert.deepEqual(
        readVerify(said, [LISTED])?.map(({ code }) => code),
        wanted,
      )
    })
})
