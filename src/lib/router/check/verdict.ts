import { counted } from '../../counted.js'
import { ExitCode } from '../../errors.js'
import type { FindingLevel } from '../../findings/types.js'
import { verdictOn } from '../../findings/verdict.js'
import { SEVERITIES, type CheckRuleId, type RouterCheck } from './types.js'

/**
 * What a check comes to: itself, or the error that has it as its result.
 * @param failOn the mildest severity that counts
 * @param isOutOfReach whether that is why a router was not checked
 */
export function judgeCheck(
  check: RouterCheck,
  failOn: FindingLevel,
  isOutOfReach: boolean,
): RouterCheck {
  const { findings, notChecked } = check
  const limit = SEVERITIES.indexOf(failOn)
  const grave = findings.filter(({ severity }) => SEVERITIES.indexOf(severity) <= limit)
  const [first] = grave
  const has = (rule: CheckRuleId) => grave.find((each) => each.rule === rule)
  const [changed, refused] = [has('host-key-changed'), has('password-refused')]
  return verdictOn(check, {
    found: first !== undefined && {
      code: 'routers-need-attention',
      words: counted(grave.length, 'finding'),
      suggestions: [(changed ?? refused ?? first).next],
      exitCode: changed ? ExitCode.conflict : refused ? ExitCode.refused : ExitCode.findings,
    },
    unchecked: notChecked.length > 0 && {
      words: `${counted(notChecked.length, 'router')} could not be checked`,
      isOutOfReach,
      suggestions: ['the same command once more, when they can be reached'],
    },
  })
}
