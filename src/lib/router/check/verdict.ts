import { ExitCode, FindingsError, IncompleteError } from '../../errors.js'
import type { FindingLevel } from '../../findings/types.js'
import { SEVERITIES, type CheckRuleId, type RouterCheck } from './types.js'

/**
 * What a check comes to: itself, or the error that has it as its result.
 * @param failOn the mildest severity that counts
 * @param isOutOfReach whether that is why a router was not checked
 */
export function verdictOn(
  check: RouterCheck,
  failOn: FindingLevel,
  isOutOfReach: boolean,
): RouterCheck {
  const { findings, notChecked } = check
  const limit = SEVERITIES.indexOf(failOn)
  const grave = findings.filter(({ severity }) => SEVERITIES.indexOf(severity) <= limit)
  const unchecked = `${notChecked.length} ${notChecked.length === 1 ? 'router' : 'routers'} could not be checked`
  const [first] = grave
  if (first !== undefined) {
    const found = `${grave.length} ${grave.length === 1 ? 'finding' : 'findings'}`
    const message = notChecked.length === 0 ? found : `${found}; ${unchecked}`
    const has = (rule: CheckRuleId) => grave.find((each) => each.rule === rule)
    const [changed, refused] = [has('host-key-changed'), has('password-refused')]
    const exitCode = changed ? ExitCode.conflict : refused ? ExitCode.refused : ExitCode.findings
    throw new FindingsError('routers-need-attention', message, {
      result: check,
      suggestions: [(changed ?? refused ?? first).next],
      exitCode,
    })
  }
  if (notChecked.length > 0)
    throw new IncompleteError(isOutOfReach ? ExitCode.unreachable : ExitCode.failure, unchecked, {
      result: check,
      suggestions: ['the same command once more, when they can be reached'],
    })
  return check
}
