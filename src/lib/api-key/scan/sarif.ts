import type { FindingLevel, FindingRule, FindingsReport } from '../../findings/types.js'
import type { Leak, LeakKind, ScanReport } from './types.js'

/** How a leak is judged, in the words of a rule's id. */
type Verdict = 'live' | 'ended' | 'unknown' | 'not-checked'

const NOUN: Record<LeakKind, string> = {
  'api-key': 'API key',
  'device-secret': "device's secret",
}
const CURE: Record<LeakKind, string> = {
  'api-key': 'cleverctl api-key rotate INSTALLATION --grace 0',
  'device-secret': 'cleverctl device rotate-secret SERIAL',
}
const VERDICTS: Record<Verdict, { level: FindingLevel; summary: string; help: string }> = {
  live: {
    level: 'error',
    summary: 'opens the gate',
    help: 'Whoever reads this place can use it. Replace it at once; taking it out of the file does not take it out of the history.',
  },
  ended: {
    level: 'note',
    summary: 'opened the gate and does no more',
    help: 'It was retired, revoked or has expired. Find out how it came here, so that the next one does not.',
  },
  unknown: {
    level: 'warning',
    summary: 'is not of this database',
    help: 'It has the form of one of ours. It may belong to another database, be invented or mistyped.',
  },
  'not-checked': {
    level: 'warning',
    summary: 'was found and no database was asked',
    help: 'Scan without --offline to learn whether it opens the gate.',
  },
}

/** A scan's result for code scanning. Never holds a secret. */
export function leaksForSarif(report: ScanReport, version: string): FindingsReport {
  const findings = report.findings.map((leak) => ({
    ruleId: ruleId(leak.kind, verdictOn(leak)),
    message: messageOf(leak),
    location:
      leak.file === null
        ? { name: leak.object ?? '', kind: 'object' }
        : leak.file === '-'
          ? { name: 'stdin', kind: 'resource' }
          : { file: leak.file, line: leak.line, column: leak.column },
    identity: [leak.keyId ?? leak.serial ?? '', leak.file ?? '', leak.object ?? ''],
    properties: {
      state: leak.state,
      installation: leak.installation,
      checksumMatches: leak.checksumMatches,
      repository: leak.repository ?? null,
      commit: leak.commit ?? null,
    },
  }))
  return { version, rules: RULES, findings, notChecked: report.notChecked }
}

const RULES: readonly FindingRule[] = (Object.keys(NOUN) as LeakKind[]).flatMap((kind) =>
  (Object.keys(VERDICTS) as Verdict[]).map((verdict) => {
    const { level, summary, help } = VERDICTS[verdict]
    return {
      id: ruleId(kind, verdict),
      summary: `${NOUN[kind]} that ${summary}`,
      help: verdict === 'live' ? `${help} ${CURE[kind]}` : help,
      level,
    }
  }),
)

function ruleId(kind: LeakKind, verdict: Verdict): string {
  return `${kind}-${verdict}`
}

function verdictOn({ live, state }: Leak): Verdict {
  if (live === true) return 'live'
  if (state === 'NOT-CHECKED') return 'not-checked'
  return state === 'UNKNOWN' ? 'unknown' : 'ended'
}

function messageOf(leak: Leak): string {
  const name = leak.keyId ?? leak.serial
  const parts = [
    `${NOUN[leak.kind]}${name === null ? '' : ` ${name}`}: ${leak.state}`,
    leak.installation === null ? '' : ` at installation ${leak.installation}`,
    leak.commit == null ? '' : ` in commit ${leak.commit}`,
    leak.revoked ? '; revoked by this scan' : '',
  ]
  return parts.join('')
}
