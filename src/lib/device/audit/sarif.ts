import { writeSarif, type SarifFile } from '../../findings/sarif-file.js'
import type { ReportedFinding } from '../../findings/types.js'
import { summaryOf, tellFinding } from './rules.js'
import type { AuditFinding, AuditRule, DeviceAudit } from './types.js'

/**
 * Writes an audit as SARIF.
 * @param rules those that were looked at
 * @throws FailureError when the file cannot be written; the audit is its result
 */
export async function writeAuditSarif(
  audit: DeviceAudit,
  rules: readonly AuditRule[],
  { file, folder, version }: SarifFile,
): Promise<void> {
  const report = {
    version,
    rules: rules.map(({ kind, summary, help, severity }) => ({
      id: kind,
      summary,
      help,
      level: severity,
    })),
    findings: audit.findings.map(reported),
    notChecked: audit.notChecked.map(({ kind, reason }) => ({ path: kind, reason })),
  }
  await writeSarif(file, report, { folder, result: audit })
}

function reported(finding: AuditFinding): ReportedFinding {
  const { kind, serial, installation, evidence, next } = finding
  const subject = serial ?? installation ?? 'unknown'
  const facts = Object.entries(evidence).map(([name, fact]) => [
    name,
    typeof fact === 'object' ? JSON.stringify(fact) : fact,
  ])
  return {
    ruleId: kind,
    message: `${subject} ${summaryOf(kind)}: ${tellFinding(finding, (at) => at)}`,
    location:
      serial === null
        ? { name: installation ?? 'unknown', kind: 'installation' }
        : { name: installation === null ? serial : `${installation}/${serial}`, kind: 'device' },
    identity: [serial ?? '', installation ?? ''],
    properties: { ...(Object.fromEntries(facts) as Record<string, string | number>), next },
  }
}
