import { parseObject } from '../json.js'
import type { TrailRow } from './row.js'

/** What separates the fields from the details, which come last; unescaped it stands nowhere else. */
const DETAILS = ',"details":'
/** Control characters and marks that reorder text, which must not reach a terminal as they are. */
const HARMFUL = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
const ESCAPE = /\\(?:u([0-9a-f]{4})|.)/g

/**
 * A row as one line of an export, without the line break. The details are an object in it, written
 * as PostgreSQL writes them, because that text is what the hash covers.
 */
export function lineOfRow(row: TrailRow): string {
  const fields = JSON.stringify({
    seq: Number(row.seq),
    at: row.at,
    phase: row.phase,
    action: row.action,
    subject: row.subject,
    databaseRole: row.databaseRole,
    osUser: row.osUser,
    host: row.host,
    ciJob: row.ciJob,
    previousHash: row.previousHash,
    hash: row.hash,
  })
  return `${fields.slice(0, -1)}${DETAILS}${row.details}}`.replace(
    HARMFUL,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The row of a line; undefined when {@link lineOfRow} would not write exactly this line. */
export function rowOfLine(line: string): TrailRow | undefined {
  const middle = line.indexOf(DETAILS)
  if (middle === -1) return undefined
  const fields = parseObject(`${line.slice(0, middle)}}`)
  if (fields === undefined) return undefined
  const row: Record<keyof TrailRow, unknown> = {
    seq: String(fields['seq']),
    at: fields['at'],
    phase: fields['phase'],
    action: fields['action'],
    subject: fields['subject'],
    databaseRole: fields['databaseRole'],
    osUser: fields['osUser'],
    host: fields['host'],
    ciJob: fields['ciJob'],
    previousHash: fields['previousHash'],
    hash: fields['hash'],
    details: line.slice(middle + DETAILS.length, -1).replace(ESCAPE, unescape),
  }
  return isRow(row) && lineOfRow(row) === line ? row : undefined
}

/** Turns back what {@link lineOfRow} escaped and leaves PostgreSQL's own escapes as they are. */
function unescape(escape: string, code: string | undefined): string {
  const character = code === undefined ? '' : String.fromCharCode(parseInt(code, 16))
  return character.match(HARMFUL) === null ? escape : character
}

function isRow(
  row: Record<keyof TrailRow, unknown>,
): row is Record<keyof TrailRow, unknown> & TrailRow {
  return Object.entries(row).every(
    ([name, value]) => typeof value === 'string' || (name === 'ciJob' && value === null),
  )
}
