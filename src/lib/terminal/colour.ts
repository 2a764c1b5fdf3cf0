import type { ChalkInstance } from 'chalk'

/** The few ways in which text is set off from other text. */
export interface Palette {
  strong: (text: string) => string
  faint: (text: string) => string
  good: (text: string) => string
  doubtful: (text: string) => string
  bad: (text: string) => string
  lightOnDark: (text: string) => string
}

const same = (text: string): string => text

/** No colour at all. */
export const plainPalette: Palette = {
  strong: same,
  faint: same,
  good: same,
  doubtful: same,
  bad: same,
  lightOnDark: same,
}

/**
 * Whether a stream may be coloured: a terminal that can, and nobody said no. NO_COLOR wins over
 * FORCE_COLOR, which wins over TERM and CI.
 */
export function wantsColour(isTerminal: boolean, environment: NodeJS.ProcessEnv): boolean {
  if (!isTerminal || environment.NO_COLOR) return false
  if (environment.FORCE_COLOR) return environment.FORCE_COLOR !== '0'
  return environment.TERM !== 'dumb' && !isContinuousIntegration(environment)
}

/** Whether this is a job of a CI service, by the variable that all of them set. */
export function isContinuousIntegration(environment: NodeJS.ProcessEnv): boolean {
  return !['', '0', 'false', undefined].includes(environment.CI)
}

/** Loads chalk, at a level that was decided here: chalk itself does not know NO_COLOR. */
export async function colourPalette(): Promise<Palette> {
  const { Chalk } = await import('chalk')
  const chalk: ChalkInstance = new Chalk({ level: 1 })
  return {
    strong: chalk.bold,
    faint: chalk.dim,
    good: chalk.green,
    doubtful: chalk.yellow,
    bad: chalk.red,
    lightOnDark: chalk.whiteBright.bgBlack,
  }
}
