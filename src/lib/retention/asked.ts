import type { RetentionPolicy } from './decide.js'

/** Which copies may go, and whether they do. */
export interface PruneQuestion {
  environment: NodeJS.ProcessEnv
  stanza: string | undefined
  policy: RetentionPolicy
  /** Nothing is deleted. */
  isDryRun: boolean
}

/** The same as flags say it. */
interface PruneFlags {
  stanza: string | undefined
  yes: boolean
  'keep-within': number
  'keep-hourly': number
  'keep-daily': number
  'keep-weekly': number
  'keep-monthly': number
  'keep-yearly': number
  'time-zone': string
}

/** Reads from its flags what a command is to prune. */
export function pruneQuestion(flags: PruneFlags, environment: NodeJS.ProcessEnv): PruneQuestion {
  const policy = {
    withinMs: flags['keep-within'],
    hourly: flags['keep-hourly'],
    daily: flags['keep-daily'],
    weekly: flags['keep-weekly'],
    monthly: flags['keep-monthly'],
    yearly: flags['keep-yearly'],
    timeZone: flags['time-zone'],
  }
  return { environment, stanza: flags.stanza, policy, isDryRun: !flags.yes }
}
