/** How bad a finding is, in SARIF's words. */
export type FindingLevel = 'error' | 'warning' | 'note'

/** A rule that something was held against. */
export interface FindingRule {
  /** Stable, lower case with hyphens: code scanning tells findings apart by it. */
  id: string
  /** What a finding of this rule says, in a line. */
  summary: string
  /** Why it matters and what to do, some sentences. */
  help: string
  level: FindingLevel
}

/** Where a finding is: in a file, or in something that is none. */
export type FindingLocation =
  | {
      file: string
      /** Both count from 1, the column in characters; null where the whole file is meant. */
      line: number | null
      column: number | null
    }
  | {
      /** A device's serial, an installation's code, a host, … */
      name: string
      /** Which of these it is. */
      kind: string
    }

/** One thing that a check holds against a rule. Never contains a secret. */
export interface ReportedFinding {
  ruleId: string
  message: string
  /** `undefined` where there is no place to name. */
  location: FindingLocation | undefined
  /** What makes it the same finding in the next run; never its line, which moves. */
  identity: readonly string[]
  /** More facts, for programs. */
  properties?: Record<string, string | number | boolean | null>
}

/** What could not be checked, and why. */
export interface Unchecked {
  path: string
  reason: string
}

/** Everything that a SARIF file says about one run. */
export interface FindingsReport {
  /** The version of this program. */
  version: string
  rules: readonly FindingRule[]
  findings: readonly ReportedFinding[]
  notChecked: readonly Unchecked[]
}
