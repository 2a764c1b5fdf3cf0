import type { RouterCheck, RouterFinding } from '../router/check/types.js'
import type { Mark, Screen } from './screen.js'

const MARKS: Record<RouterFinding['severity'], Mark> = {
  error: 'failure',
  warning: 'warning',
  note: 'warning',
}

/** Draws a check router by router; in a pipe one line a finding, and one for each router that was not checked. */
export function drawRouterCheck(screen: Screen, check: RouterCheck): void {
  const { findings, notChecked, checked } = check
  if (screen.isTerminal) {
    let heading: string | undefined
    for (const { installation, rule, severity, evidence, next } of findings) {
      if (installation !== heading) screen.heading(installation)
      heading = installation
      screen.mark(MARKS[severity], evidence, rule)
      screen.step(next)
    }
    if (findings.length === 0 && notChecked.length === 0)
      screen.mark('ok', `${checked} ${checked === 1 ? 'router is' : 'routers are'} as recorded`)
  } else
    screen.table(findings, [
      { title: 'SEVERITY', text: ({ severity }) => severity },
      { title: 'RULE', text: ({ rule }) => rule },
      { title: 'INSTALLATION', text: ({ installation }) => installation },
      { title: 'SEEN', text: ({ evidence }) => evidence },
      { title: 'NEXT', text: ({ next }) => next },
    ])
  for (const { installation, reason } of notChecked)
    screen.mark('failure', `not checked: ${reason}`, installation)
}
