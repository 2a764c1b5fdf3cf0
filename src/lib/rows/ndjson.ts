import type { Row } from './csv.js'
import type { Fault } from '../fault.js'
import { parseObject } from '../json.js'
import type { Line } from './lines.js'

/** The row of one line of NDJSON: the values of `columns` in this order, numbers as text, an absent one empty. */
export function readNdjsonRow(line: Line, columns: readonly string[]): Row {
  const { number, text: raw } = line
  const rejected = (fault: Fault): Row => ({ line: number, raw, fault })
  if (line.fault) return rejected(line.fault)
  const record = parseObject(raw)
  if (!record)
    return rejected({ code: 'malformed-json', reason: 'the line is not one JSON object' })
  const values: string[] = []
  for (const column of columns) {
    const value = Object.hasOwn(record, column) ? (record[column] ?? '') : ''
    if (typeof value !== 'string' && typeof value !== 'number')
      return rejected({ code: 'malformed-json', reason: `${column} is neither text nor a number` })
    values.push(String(value))
  }
  return { line: number, raw, values }
}
