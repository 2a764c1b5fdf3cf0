import assert from 'node:assert/strict'
import { UsageError } from '../../src/lib/errors.js'
import { CsvReader, type Row } from '../../src/lib/rows/csv.js'

async function read(text: string, blockLines = Infinity): Promise<Row[]> {
  const reader = await CsvReader.create(['a', 'b'])
  const lines = text.split('\n').map((line, index) => ({ number: index + 1, text: line }))
  const rows: Row[] = []
  const size = Math.min(blockLines, lines.length)
  for (let start = 0; start < lines.length; start += size)
    rows.push(...reader.rows(lines.slice(start, start + size)))
  return [...rows, ...reader.end()]
}

const short = (rows: readonly Row[]): unknown[] =>
  rows.map(({ line, values, fault }) => [line, values ?? fault?.code])

const table: { name: string; text: string; want: [number, string[] | string][] }[] = [
  {
    name: 'plain rows',
    text: 'a,b\n1,2\n3,4',
    want: [
      [2, ['1', '2']],
      [3, ['3', '4']],
    ],
  },
  { name: 'columns in another order', text: 'b,a\n2,1', want: [[2, ['1', '2']]] },
  { name: 'columns nobody asked for', text: 'x,b,y,a\n9,2,9,1', want: [[2, ['1', '2']]] },
  { name: 'a quoted header with spaces', text: '"a", b \n1,2', want: [[2, ['1', '2']]] },
  {
    name: 'quoted fields',
    text: 'a,b\n"1,5","say ""hi"""\n3,4',
    want: [
      [2, ['1,5', 'say "hi"']],
      [3, ['3', '4']],
    ],
  },
  {
    name: 'empty fields',
    text: 'a,b\n,\n"",""',
    want: [
      [2, ['', '']],
      [3, ['', '']],
    ],
  },
  {
    name: 'line breaks inside quotes',
    text: 'a,b\n1,"x\ny,9\nz"\n3,4',
    want: [
      [2, ['1', 'x\ny,9\nz']],
      [5, ['3', '4']],
    ],
  },
  {
    name: 'too few and too many fields',
    text: 'a,b\n1\n1,2,3\n"1"\n3,4',
    want: [
      [2, 'wrong-field-count'],
      [3, 'wrong-field-count'],
      [4, 'wrong-field-count'],
      [5, ['3', '4']],
    ],
  },
  {
    name: 'a quote inside a field',
    text: 'a,b\n1,x"y"z\n3,4',
    want: [
      [2, 'malformed-csv'],
      [3, ['3', '4']],
    ],
  },
  {
    name: 'text after a closing quote',
    text: 'a,b\n"1"x,2\n"3",4',
    want: [
      [2, 'malformed-csv'],
      [3, ['3', '4']],
    ],
  },
  {
    name: 'a quote that is never closed',
    text: 'a,b\n1,"2\n3,4\n5,6',
    want: [
      [2, 'malformed-csv'],
      [3, ['3', '4']],
      [4, ['5', '6']],
    ],
  },
  {
    name: 'a stray quote that the next stray quote seems to close',
    text: 'a,b\n1,x"2\n3,4\n5,y"6\n7,8',
    want: [
      [2, 'malformed-csv'],
      [3, ['3', '4']],
      [4, 'malformed-csv'],
      [5, ['7', '8']],
    ],
  },
  {
    name: 'a row inside a quoted field is no row',
    text: 'a,b\n1,"\n3,4\n"\n5,6',
    want: [
      [2, ['1', '\n3,4\n']],
      [5, ['5', '6']],
    ],
  },
]

describe('CSV rows', () => {
  for (const { name, text, want } of table) {
    it(`reads ${name}`, async () => {
      assert.deepEqual(short(await read(text)), want)
      assert.deepEqual(short(await read(text, 1)), want, 'line by line')
      assert.deepEqual(short(await read(text, 2)), want, 'two lines at a time')
    })
  }

  it('keeps the row as it stood, a record of several lines as a whole', async () => {
    const rows = await read('a,b\n1,"x\ny"\n"3",4')
    assert.deepEqual(
      rows.map(({ raw }) => raw),
      ['1,"x\ny"', '"3",4'],
    )
  })

  it('gives a record up that grows beyond 64 KiB, and reads on with the next line', async () => {
    const filler = Array.from({ length: 1000 }, () => 'x'.repeat(100))
    const rows = await read(['a,b', '1,"2', ...filler, '3,4', '5,"6"'].join('\n'))
    assert.equal(rows.length, 1003)
    assert.deepEqual(short([rows[0], rows[1001], rows[1002]] as Row[]), [
      [2, 'malformed-csv'],
      [1003, ['3', '4']],
      [1004, ['5', '6']],
    ])
  })

  it('passes a fault of the line on, also within quotes', async () => {
    const reader = await CsvReader.create(['a', 'b'])
    const fault = { code: 'not-utf8', reason: 'x' }
    const rows = reader.rows([
      { number: 1, text: 'a,b' },
      { number: 2, text: '1,"2' },
      { number: 3, text: '?', fault },
      { number: 4, text: '3,4' },
    ])
    assert.deepEqual(short(rows), [
      [2, 'malformed-csv'],
      [3, 'not-utf8'],
      [4, ['3', '4']],
    ])
  })

  it('names the columns that nobody asked for', async () => {
    const reader = await CsvReader.create(['a'])
    reader.rows([{ number: 1, text: 'a,b,c' }])
    assert.deepEqual(reader.unusedColumns, ['b', 'c'])
  })

  for (const header of ['a', 'a,b,b', 'A,B', '"a,b', 'a;b', '{"a":1}']) {
    it(`refuses the header ${header}`, async () => {
      await assert.rejects(read(`${header}\n1,2`), (error) => {
        assert.ok(error instanceof UsageError)
        assert.equal(error.code, 'wrong-header')
        return true
      })
    })
  }
})

describe('CSV of random fields', () => {
  const SEED = 20_261_123
  const alphabet = ['a', 'ñ', '"', '""', ',', '\n', ' ', '=1', '', '\\']

  it(`reads back what was written by the rules (seed ${SEED})`, async () => {
    let state = SEED
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
      return (state >> 8) % below
    }
    const field = (): string =>
      Array.from({ length: random(6) }, () => alphabet[random(alphabet.length)]).join('')
    const quoted = (text: string): string =>
      /[",\n]/.test(text) || random(3) === 0 ? `"${text.replaceAll('"', '""')}"` : text
    // An empty field beside a full one: a record of nothing would be an empty line.
    const records = Array.from({ length: 3000 }, () => [`x${field()}`, field()])
    const text = ['a,b', ...records.map((record) => record.map(quoted).join(','))].join('\n')
    for (const blockLines of [1, 3, 100, Infinity]) {
      const rows = await read(text, blockLines)
      assert.deepEqual(
        rows.map(({ values }) => values),
        records,
      )
    }
  })
})
