import { CancelledError, ExpectedError, UnreachableError } from '../errors.js'
import { verdictOn } from '../findings/verdict.js'
import type { Surroundings } from '../surroundings.js'
import { databaseChecks } from './checks/database.js'
import { keyChecks } from './checks/keys.js'
import { machineChecks } from './checks/machine.js'
import { recordChecks } from './checks/records.js'
import { Scene, type Subject } from './scene.js'
import type { Check, CheckResult, Finding, Verdict } from './types.js'

/** What every check found, in the order in which they build on each other. */
export interface Diagnosis {
  checks: CheckResult[]
}

const CHECKS: readonly Check[] = [
  ...machineChecks,
  ...databaseChecks,
  ...keyChecks,
  ...recordChecks,
]

/**
 * Looks at everything that a working installation needs, and changes nothing.
 * @throws FindingsError when a check failed, IncompleteError when one could not be carried out; the
 *   diagnosis is their result
 */
export async function diagnose(surroundings: Surroundings, subject: Subject): Promise<Diagnosis> {
  const scene = new Scene(surroundings, subject)
  const checks: CheckResult[] = []
  let isOutOfReach = false
  try {
    for (const check of CHECKS) {
      surroundings.signal.throwIfAborted()
      const { id, title } = check
      const finding = await check.run(scene).catch((error: unknown) => {
        isOutOfReach ||= error instanceof UnreachableError
        return notChecked(error)
      })
      checks.push({ id, title, ...finding })
    }
  } finally {
    await scene.close()
  }
  return verdict({ checks }, isOutOfReach)
}

function notChecked(error: unknown): Finding {
  if (error instanceof CancelledError) throw error
  if (!(error instanceof ExpectedError)) {
    return { verdict: 'not-checked', detail: 'the check itself came to grief' }
  }
  // Errors send people here; from here they have to go on.
  const [next] = error.suggestions.filter((suggestion) => suggestion !== 'cleverctl doctor')
  return { verdict: 'not-checked', detail: error.message, ...(next === undefined ? {} : { next }) }
}

function verdict(diagnosis: Diagnosis, isOutOfReach: boolean): Diagnosis {
  const { checks } = diagnosis
  const count = (wanted: Verdict): number =>
    checks.filter(({ verdict }) => verdict === wanted).length
  const [failed, unchecked] = [count('failure'), count('not-checked')]
  const of = `of ${checks.length} checks`
  return verdictOn(diagnosis, {
    found: failed > 0 && { code: 'checks-failed', words: `${failed} ${of} failed` },
    unchecked: unchecked > 0 && {
      words: `${unchecked} ${of} could not be carried out`,
      isOutOfReach,
    },
  })
}
