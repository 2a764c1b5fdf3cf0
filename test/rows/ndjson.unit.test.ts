import assert from 'node:assert/strict'
import { readNdjsonRow } from '../../src/lib/rows/ndjson.js'

const table: { text: string; want: string[] | string }[] = [
  { text: '{"a":"1","b":"2"}', want: ['1', '2'] },
  { text: ' {"b":2.5,"x":[],"a":-1} ', want: ['-1', '2.5'] },
  { text: '{"a":null}', want: ['', ''] },
  { text: '{"__proto__":{"a":"1"},"b":"2"}', want: ['', '2'] },
  { text: '{"a":{},"b":"2"}', want: 'malformed-json' },
  { text: '{"a":true,"b":"2"}', want: 'malformed-json' },
  { text: '["1","2"]', want: 'malformed-json' },
  { text: 'null', want: 'malformed-json' },
  { text: '{"a":"1"', want: 'malformed-json' },
  { text: '{"a":"1"}{"a":"2"}', want: 'malformed-json' },
]

describe('NDJSON rows', () => {
  for (const { text, want } of table) {
    it(`reads ${text}`, () => {
      const { values, fault, line, raw } = readNdjsonRow({ number: 7, text }, ['a', 'b'])
      assert.deepEqual(values ?? fault?.code, want)
      assert.deepEqual([line, raw], [7, text])
    })
  }
})
