import { writeSarif, type SarifFile } from '../../findings/sarif-file.js'
import { CHECK_RULES, type RouterCheck } from './types.js'

/** Writes a check as SARIF. @throws FailureError when the file cannot be written; the check is its result */
export async function writeCheckSarif(
  check: RouterCheck,
  { file, folder, version }: SarifFile,
): Promise<void> {
  const report = {
    version,
    rules: CHECK_RULES,
    findings: check.findings.map(({ installation, rule, evidence, next }) => ({
      ruleId: rule,
      message: `${installation}: ${evidence}`,
      location: { name: installation, kind: 'installation' },
      identity: [installation, evidence],
      properties: { next },
    })),
    notChecked: check.notChecked.map(({ installation, reason }) => ({
      path: installation,
      reason,
    })),
  }
  await writeSarif(file, report, { folder, result: check })
}
