import { createHash } from 'node:crypto'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Location, Log, Notification, ReportingDescriptor, Result } from 'sarif'
import type {
  FindingLocation,
  FindingRule,
  FindingsReport,
  ReportedFinding,
  Unchecked,
} from './types.js'

/** The name under which code scanning finds our fingerprint; the number changes with its meaning. */
const FINGERPRINT = 'cleverctl/v1'
const ROOT = '%SRCROOT%'

/**
 * A report as a SARIF 2.1.0 document. Paths inside `folder` are relative to it, as code scanning
 * wants them; others are file URLs.
 * @param folder absolute path of the folder that was checked, mostly the working directory
 * Throws when a finding names a rule that the report has not.
 */
export function toSarif(report: FindingsReport, folder: string): Log {
  const { version, rules, findings, notChecked } = report
  const indexes = new Map(rules.map(({ id }, index) => [id, index]))
  const seen = new Map<string, number>()
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'cleverctl', version, rules: rules.map(ruleOf) } },
        columnKind: 'unicodeCodePoints',
        originalUriBaseIds: { [ROOT]: { uri: `${pathToFileURL(folder).href}/` } },
        invocations: [
          {
            executionSuccessful: notChecked.length === 0,
            toolExecutionNotifications: notChecked.map((each) => notificationOf(each, folder)),
          },
        ],
        results: findings.map((finding) => {
          const ruleIndex = indexes.get(finding.ruleId)
          const rule = ruleIndex === undefined ? undefined : rules[ruleIndex]
          if (ruleIndex === undefined || rule === undefined)
            throw new Error(`there is no rule ${finding.ruleId}`)
          return { ruleIndex, level: rule.level, ...resultOf(finding, folder, seen) }
        }),
      },
    ],
  }
}

function ruleOf({ id, summary, help, level }: FindingRule): ReportingDescriptor {
  return {
    id,
    shortDescription: { text: summary },
    help: { text: help },
    defaultConfiguration: { level },
  }
}

function resultOf(finding: ReportedFinding, folder: string, seen: Map<string, number>): Result {
  const { ruleId, message, location, identity, properties } = finding
  const place = location === undefined ? [] : [locationOf(location, folder)]
  return {
    ruleId,
    message: { text: message },
    locations: place,
    partialFingerprints: { [FINGERPRINT]: fingerprint([ruleId, ...identity], seen) },
    ...(properties === undefined ? {} : { properties }),
  }
}

/** The same for the same finding in every run; findings that are alike otherwise are counted. */
function fingerprint(identity: readonly string[], seen: Map<string, number>): string {
  const text = JSON.stringify(identity)
  const count = (seen.get(text) ?? 0) + 1
  seen.set(text, count)
  return createHash('sha256').update(`${text}:${count}`).digest('hex')
}

function notificationOf({ path, reason }: Unchecked, folder: string): Notification {
  return {
    level: 'error',
    message: { text: `not checked: ${reason}` },
    locations: [locationOf({ file: path, line: null, column: null }, folder)],
  }
}

function locationOf(location: FindingLocation, folder: string): Location {
  if ('name' in location)
    return { logicalLocations: [{ fullyQualifiedName: location.name, kind: location.kind }] }
  const { file, line, column } = location
  return {
    physicalLocation: {
      artifactLocation: addressOf(file, folder),
      ...(line === null
        ? {}
        : { region: { startLine: line, ...(column === null ? {} : { startColumn: column }) } }),
    },
  }
}

function addressOf(file: string, folder: string): { uri: string; uriBaseId?: string } {
  const path = relative(folder, resolve(folder, file))
  if (path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path))
    return { uri: pathToFileURL(resolve(folder, file)).href }
  return { uri: path.split(sep).map(encodeURIComponent).join('/'), uriBaseId: ROOT }
}
