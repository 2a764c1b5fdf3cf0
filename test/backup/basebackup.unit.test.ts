import assert from 'node:assert/strict'
import { readBasebackups } from '../../src/lib/backup/basebackup/on-host.js'
import { needAfter, readWal } from '../../src/lib/backup/basebackup/verify.js'
import { segmentName } from '../../src/lib/backup/wal.js'
import { FailureError } from '../../src/lib/errors.js'

const LABEL = '20261125-230000F'
const FACTS = {
  label: LABEL,
  startedAt: 1795647600,
  stoppedAt: 1795647660,
  bytes: 30_000_000,
  version: '15',
  systemIdentifier: '7712435737939123456',
  segmentBytes: 16_777_216,
  pageChecksums: 1,
  startTimeline: 1,
  startLsn: '0/2000028',
  stopTimeline: 1,
  stopLsn: '0/3000000',
  from: 'standby',
}
const segmentBytes = 16 * 1024 ** 2
const line = (facts: unknown, label = LABEL) => `backup\t${label}\t${JSON.stringify(facts)}\n`
const WHOLE = line(FACTS)
const SEGMENT = '000000010000000000000002'

describe('reading the list of backups that pg_basebackup made', () => {
  it('tells of one where it begins and ends, and what may be under way', () => {
    const info = readBasebackups(`${WHOLE}archive\t${SEGMENT}\t${SEGMENT}\nbusy\nreceiving\n`)
    const [backup] = info.backups
    assert.deepEqual(
      [backup?.label, backup?.walStart, backup?.walStop, backup?.hasErrors],
      [LABEL, SEGMENT, SEGMENT, false],
    )
    assert.deepEqual([info.isBackingUp, info.isReceiving], [true, true])
    assert.deepEqual(info.archives, [{ repository: 1, id: '15-1', min: SEGMENT, max: SEGMENT }])
  })

  it('knows nothing of checksums where pages have none', () => {
    const [backup] = readBasebackups(line({ ...FACTS, pageChecksums: 0 })).backups
    assert.equal(backup?.hasErrors, null)
  })

  it('finds no backup in an empty answer, and no end of the WAL', () => {
    const { backups, archives, isReceiving } = readBasebackups('archive\t\t\n')
    assert.deepEqual([backups, archives, isReceiving], [[], [], false])
  })

  const DAMAGED: [string, string][] = [
    ['that are empty', `backup\t${LABEL}\t\n`],
    ['of which the end is missing', WHOLE.slice(0, -40)],
    ['of which the line breaks off', `backup\t${LABEL}`],
    ['that are no object', line(null)],
    ['of another backup', line({ ...FACTS, label: '20261125-220000F' })],
    ['without a time', line({ ...FACTS, startedAt: undefined })],
    ['with a time that is none', line({ ...FACTS, stoppedAt: 1e300 })],
    ['with segments of no bytes', line({ ...FACTS, segmentBytes: 0 })],
    ['with a place that is none', line({ ...FACTS, stopLsn: '0/3000000; x' })],
    ['with a timeline in words', line({ ...FACTS, stopTimeline: '1' })],
  ]
  for (const [name, text] of DAMAGED)
    it(`refuses facts ${name}, and says of which backup`, () => {
      assert.throws(
        () => readBasebackups(WHOLE + text),
        (error) => error instanceof FailureError && error.message.includes(LABEL),
      )
    })
})

describe('reading the list of WAL that was received', () => {
  it('takes whole segments alone, and where a timeline left another', () => {
    const text = [
      `file\t${SEGMENT}\t16777216`,
      `file\t${SEGMENT.replace(/2$/, '3')}.partial\t16777216`,
      'file\t00000002.history\t41',
      'file\t../../etc/passwd\t100',
      'file',
      'fork\t00000002.history\t1\t0/3000000',
      '',
    ].join('\n')
    assert.deepEqual(readWal(text, '15-1'), {
      files: [{ archive: '15-1', name: SEGMENT, bytes: 16_777_216 }],
      forks: [{ archive: '15-1', timeline: 2, parent: 1, lsn: 0x3000000n }],
    })
  })

  for (const rest of ['', '\t\t', '\t1', '\t1\tnowhere', '\tx\t0/3000000', '\t1\t0/3000000x'])
    it(`refuses a history file of which is said ${JSON.stringify(rest)}`, () => {
      assert.throws(
        () => readWal(`fork\t00000002.history${rest}\n`, '15-1'),
        (error) => error instanceof FailureError && error.message.includes('00000002.history'),
      )
    })
})

describe('what a backup by pg_basebackup needs of the WAL that was received', () => {
  const file = (number: number, timeline = 1) => ({
    archive: '15-1',
    name: segmentName(timeline, BigInt(number), segmentBytes),
    bytes: segmentBytes,
  })
  const fork = { archive: '15-1', timeline: 2, parent: 1, lsn: 0x3000100n }
  const CASES: [string, string, Partial<Parameters<typeof needAfter>[1]>, bigint[]][] = [
    ['a backup that ends within a segment', '0/3000060', { files: [file(3), file(4)] }, [3n]],
    ['one that ends with a segment, and has it whole', '0/4000000', { files: [file(4)] }, [4n]],
    ['one in whose last segment the primary still writes', '0/3000060', { files: [] }, []],
    ['one whose timeline was left there', '0/3000060', { files: [file(4)], forks: [fork] }, []],
  ]
  for (const [name, lsnStop, seen, wanted] of CASES)
    it(`is the segments ${wanted.join() || 'none'} for ${name}`, () => {
      const backup = { archive: '15-1', walStop: SEGMENT.replace(/2$/, '3'), lsnStop }
      const all = { files: [], forks: [], end: [], segmentBytes, ...seen }
      assert.deepEqual(
        needAfter(backup, all).map(({ from }) => from),
        wanted,
      )
    })
})
