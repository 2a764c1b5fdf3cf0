import type { Random } from '../../clock.js'
import { verdictOn } from '../../findings/verdict.js'
import type { AccessFinding } from '../audit/types.js'
import { CleanServer } from './clean-server.js'
import type { ClusterNeeds } from './cluster.js'
import { FAULTS } from './faults.js'
import type { Change, SelfTest } from './types.js'

/**
 * Plants every known fault in a throw-away server, one after the other, and looks whether the audit finds
 * it, and nothing where there is none: on the clean server, and at what looks like a fault and is none.
 * @throws FindingsError when a fault was missed or something was found that is not there; the test is its result
 * @throws FailureError when no server can be started on this machine
 */
export async function testAudit(given: ClusterNeeds & { random: Random }): Promise<SelfTest> {
  const server = await CleanServer.start(given)
  try {
    return verdict(await tryFaults(server, given))
  } finally {
    await server.stop()
  }
}

async function tryFaults(server: CleanServer, { log, signal }: ClusterNeeds): Promise<SelfTest> {
  const { leftOut } = server
  const test: SelfTest = {
    ...{ planted: 0, found: 0, falseFindings: 0, missed: [], wrong: [] },
    ...{ leftOut, version: 0 },
  }
  const faults = FAULTS.filter(({ rule }) => !leftOut.some((each) => each.rule === rule))
  const hold = (findings: readonly AccessFinding[], at: string) => {
    for (const { rule, subject, evidence } of findings)
      test.wrong.push({ rule, subject, evidence, at })
  }
  hold(await server.audit(), 'the clean server')
  for (const [done, fault] of faults.entries()) {
    signal.throwIfAborted()
    log.progress({ done, total: faults.length, unit: 'faults' })
    const { rule, who, plant, nearMiss } = fault
    const ofRule = (finding: AccessFinding) => finding.rule === rule
    if (nearMiss)
      hold((await server.during(nearMiss)).filter(ofRule), `no fault: ${nameOf(nearMiss)}`)
    const findings = (await server.during(plant)).filter(ofRule)
    test.planted += 1
    if (findings.some((finding) => finding.who === who)) test.found += 1
    else test.missed.push({ rule, fault: nameOf(plant) })
  }
  await server.reload()
  hold(await server.audit(), 'the clean server, after every fault was mended')
  return { ...test, falseFindings: test.wrong.length, version: server.version }
}

/** What was done, in a line. */
function nameOf({ sql, granted, hba, ident, settings, session, isUnread }: Change): string {
  const words = [
    ...(sql ?? []),
    ...(granted ? [`lines of a grant: ${granted.join(', ') || 'none'}`] : []),
    ...(hba ?? []),
    ...(ident ?? []),
    ...Object.entries(settings ?? {}).map(([name, value]) => `${name} = ${value}`),
    ...(session ? [`session of ${session.role}`] : []),
    ...(isUnread === true ? ['pg_hba.conf changed and not loaded'] : []),
  ]
  return words.length === 0 ? 'no last line' : words.join('; ')
}

function verdict(test: SelfTest): SelfTest {
  const { planted, found, falseFindings } = test
  return verdictOn(test, {
    found: (found < planted || falseFindings > 0) && {
      code: 'audit-is-wrong',
      words: `of ${planted} faults ${found} were found, and ${falseFindings} findings are false`,
    },
    unchecked: false,
  })
}
