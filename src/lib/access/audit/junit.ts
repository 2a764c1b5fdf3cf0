import { toJunit } from '../../findings/junit.js'
import { writeReport } from '../../findings/report-file.js'
import { EVERY_RULE, type AccessAudit } from './types.js'
import { ACCESS_RULES } from './rules.js'

/**
 * Writes an audit of access as JUnit: a case for each rule at each server.
 * @throws FailureError when the file cannot be written
 */
export async function writeAccessJunit(audit: AccessAudit, file: string): Promise<void> {
  const { findings, notChecked } = audit
  const hosts = new Set([...audit.hosts, ...notChecked].map(({ host }) => host))
  const cases = [...hosts].flatMap((host) =>
    ACCESS_RULES.map(({ id, summary }) => ({
      group: host,
      name: `${id}: ${summary}`,
      failures: findings
        .filter((finding) => finding.host === host && finding.rule === id)
        .map(({ severity, subject, who, evidence, fix }) => {
          const person = who === null ? '' : ` (${who})`
          return `${severity}: ${subject}${person}: ${evidence}; ${fix}`
        }),
      errors: notChecked
        .filter((each) => each.host === host && [id, EVERY_RULE].includes(each.rule))
        .map(({ reason }) => reason),
    })),
  )
  await writeReport(file, toJunit('cleverctl access audit', cases))
}
