import type { Row } from '../rows/csv.js'
import type { Fault } from '../fault.js'
import {
  faultOfCode,
  faultOfName,
  faultOfTimezone,
  type InstallationFacts,
  readDegrees,
  spelledTimezone,
} from './types.js'

/** The columns of a list of installations. */
export const INSTALLATION_COLUMNS = ['code', 'name', 'timezone', 'latitude', 'longitude'] as const

/** A row that was not taken, and why. */
export interface RejectedRow extends Fault {
  line: number
  /** What stands in the code's place, where that could be read. */
  installation: string | null
  raw: string
}

/** A row's installation and a way to refuse it later, or its refusal. */
export type ReadRow =
  | { facts: InstallationFacts; refuse: (code: string, reason: string) => RejectedRow }
  | { facts?: undefined; rejected: RejectedRow }

const CODE_EXCERPT = 80

/** Reads a row on its own merits. @param codes the codes of earlier rows; grows */
export function readInstallationRow(row: Row, codes: Set<string>): ReadRow {
  const { line, raw, values } = row
  if (!values) return { rejected: { line, raw, installation: null, ...row.fault } }
  const [code = '', name = '', timezone = '', latitudeText = '', longitudeText = ''] = values
  const installation = code.slice(0, CODE_EXCERPT)
  const refused = (fault: Fault): ReadRow => ({ rejected: { line, raw, installation, ...fault } })
  const empty = INSTALLATION_COLUMNS.find((_column, index) => values[index] === '')
  if (empty !== undefined) return refused({ code: 'missing-field', reason: `${empty} is empty` })
  const fault = faultOfCode(code) ?? faultOfName(name) ?? faultOfTimezone(timezone)
  if (fault) return refused(fault)
  const latitude = readDegrees('latitude', latitudeText)
  if (typeof latitude !== 'number') return refused(latitude)
  const longitude = readDegrees('longitude', longitudeText)
  if (typeof longitude !== 'number') return refused(longitude)
  if (codes.has(code))
    return refused({ code: 'duplicate-code', reason: 'the code stands in an earlier row' })
  codes.add(code)
  return {
    facts: { code, name, timezone: spelledTimezone(timezone), latitude, longitude },
    refuse: (reasonCode, reason) => ({ line, raw, installation, code: reasonCode, reason }),
  }
}
