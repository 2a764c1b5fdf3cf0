import { writeSarif, type SarifFile } from '../../findings/sarif-file.js'
import { ACCESS_RULES } from './rules.js'
import type { AccessAudit } from './types.js'

/**
 * Writes an audit of access as SARIF.
 * @throws FailureError when the file cannot be written; the audit is its result
 */
export async function writeAccessSarif(
  audit: AccessAudit,
  { file, folder, version }: SarifFile,
): Promise<void> {
  const report = {
    version,
    rules: ACCESS_RULES.map(({ id, summary, help, references, severity }) => ({
      id,
      summary,
      help: `${help} ${references.join(', ')}.`,
      level: severity === 'medium' ? ('warning' as const) : ('error' as const),
    })),
    findings: audit.findings.map(({ rule, severity, host, subject, who, evidence, fix, undo }) => ({
      ruleId: rule,
      message: `${subject} at ${host}: ${evidence}`,
      location: { name: `${host} ${subject}`, kind: 'server' },
      identity: [host, subject, who ?? ''],
      properties: { severity, who, fix, undo },
    })),
    notChecked: audit.notChecked.map(({ rule, host, reason }) => ({
      path: `${host} ${rule}`,
      reason,
    })),
  }
  await writeSarif(file, report, { folder, result: audit })
}
