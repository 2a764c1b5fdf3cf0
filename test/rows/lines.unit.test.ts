import assert from 'node:assert/strict'
import { MAX_LINE_BYTES, readLines, type Line } from '../../src/lib/rows/lines.js'

async function linesOf(bytes: Buffer, chunkSize: number): Promise<Line[]> {
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for (let start = 0; start < bytes.length; start += chunkSize)
      yield bytes.subarray(start, start + chunkSize)
  }
  const lines: Line[] = []
  for await (const block of readLines(chunks())) lines.push(...block)
  return lines
}

/** Whatever the sizes of the chunks, the lines are the same. */
async function lines(input: string | Buffer): Promise<Line[]> {
  const bytes = Buffer.from(input)
  const whole = await linesOf(bytes, Math.max(bytes.length, 1))
  for (const size of bytes.length > 1000 ? [4096, 65_536] : [1, 2, 3, 7]) {
    assert.deepEqual(await linesOf(bytes, size), whole, `chunks of ${size} bytes`)
  }
  return whole
}

const table: { name: string; input: string | Buffer; want: [number, string, string?][] }[] = [
  { name: 'no bytes are no lines', input: '', want: [] },
  {
    name: 'a last line without a line break counts',
    input: 'a\nb',
    want: [
      [1, 'a'],
      [2, 'b'],
    ],
  },
  {
    name: 'CR LF is one line break',
    input: 'a\r\nb\r\n',
    want: [
      [1, 'a'],
      [2, 'b'],
    ],
  },
  {
    name: 'empty lines are counted and left out',
    input: '\na\n\r\n\nb\n',
    want: [
      [2, 'a'],
      [5, 'b'],
    ],
  },
  { name: 'a byte order mark is dropped', input: '\ufeffa\n', want: [[1, 'a']] },
  {
    name: 'letters of several bytes survive',
    input: 'añ\n太陽\n🌞',
    want: [
      [1, 'añ'],
      [2, '太陽'],
      [3, '🌞'],
    ],
  },
  {
    name: 'a line that is not UTF-8 spoils no other',
    input: Buffer.concat([
      Buffer.from('a\n'),
      Buffer.from([0xff, 0x61, 0x0d, 0x0a]),
      Buffer.from('ñ\r\nc'),
    ]),
    want: [
      [1, 'a'],
      [2, '\ufffda', 'not-utf8'],
      [3, 'ñ'],
      [4, 'c'],
    ],
  },
  {
    name: 'a line with a NUL spoils no other',
    input: 'a\nb\0c\nd\n',
    want: [
      [1, 'a'],
      [2, 'b\0c', 'nul-character'],
      [3, 'd'],
    ],
  },
]

describe('reading lines', () => {
  for (const { name, input, want } of table) {
    it(name, async () => {
      const got = await lines(input)
      assert.deepEqual(
        got.map(({ number, text, fault }) => [number, text, ...(fault ? [fault.code] : [])]),
        want,
      )
    })
  }

  it('takes a line of the greatest length and refuses one byte more', async () => {
    const [longest, tooLong, next] = await lines(
      `${'x'.repeat(MAX_LINE_BYTES)}\n${'y'.repeat(MAX_LINE_BYTES + 1)}\nz\n`,
    )
    assert.equal(longest?.fault, undefined)
    assert.equal(tooLong?.fault?.code, 'line-too-long')
    assert.deepEqual(next, { number: 3, text: 'z' })
  })

  it('measures a long line in bytes, not in letters', async () => {
    const [line] = await lines(`${'ñ'.repeat(MAX_LINE_BYTES / 2 + 1)}\n`)
    assert.equal(line?.fault?.code, 'line-too-long')
  })

  it('holds no more of a line of ten megabytes than it shows', async () => {
    const [line, next] = await linesOf(Buffer.from(`${'x'.repeat(10_000_000)}\nafter\n`), 65_536)
    assert.equal(line?.fault?.code, 'line-too-long')
    assert.equal(line?.text.length, 200)
    assert.deepEqual(next, { number: 2, text: 'after' })
  })
})
