import { Args, Flags } from '@oclif/core'
import { DEFAULT_MAX_FAILURES, parseLimit, type Limit } from '../campaign/limit.js'
import type { Pace } from '../campaign/types.js'
import { ONE_WAVE, parseWaves, type Wave } from '../campaign/waves.js'
import { parseWindow, type Window } from '../campaign/window.js'
import { UsageError } from '../errors.js'
import { durationFlag } from './flags.js'
import type { WorkspaceNeeds } from './open-workspace.js'

/** How many targets one process works on at a time when nobody says otherwise. */
export const DEFAULT_CONCURRENCY = 4

/** The same for routers, where most of the time goes into waiting for a far machine. */
export const DEFAULT_ROUTERS_AT_ONCE = 32

/** A command beside those of the workers needs so many connections for itself. */
export const OWN_CONNECTIONS = 4

/** More statements at a time make a database slower, not faster; the work on a router holds no connection. */
const MOST_FOR_ROUTERS = 16

const wavesFlag = Flags.custom<Wave[]>({
  parse: async (text) => parseWaves(text),
  helpValue: '1,1%,10%,100%',
})

const limitFlag = Flags.custom<Limit>({
  parse: async (text) => parseLimit(text),
  helpValue: '2%|5',
})

const windowFlag = Flags.custom<Window | 'now'>({
  parse: async (text) => (text === 'now' ? text : parseWindow(text)),
  helpValue: 'now|night|02:00-05:00',
})

/** Which campaign. */
export const campaignArg = {
  campaign: Args.string({
    description: 'id of the campaign, as `campaign list` shows it',
    required: true,
    ignoreStdin: true,
  }),
}

/** Why a person changes a campaign. */
export const reasonFlag = {
  reason: Flags.string({ description: 'why; kept with the campaign and in the trail' }),
}

/** How many targets at a time. */
export const concurrencyFlag = {
  concurrency: Flags.integer({
    description: `targets at a time in this process [default: ${DEFAULT_CONCURRENCY}]`,
    min: 1,
    max: 64,
  }),
}

/** How many routers at a time; each is one SSH connection, and at times two. */
export const routerConcurrencyFlag = {
  concurrency: Flags.integer({
    description: `routers at a time in this process [default: ${DEFAULT_ROUTERS_AT_ONCE}]`,
    min: 1,
    max: 1000,
  }),
}

/** How a command opens its database that works on so many routers at a time. */
export function needsForRouters(concurrency: number): WorkspaceNeeds {
  const atOnce = Math.min(concurrency, MOST_FOR_ROUTERS)
  return {
    maxConnections: atOnce + OWN_CONNECTIONS,
    atOnce,
    finishesStatements: true,
  }
}

/** Who works. */
export const detachFlag = {
  detach: Flags.boolean({
    description: 'only leave the targets to `campaign work`, and do not wait for them',
  }),
}

/** How many targets are done, and when; read by {@link paceOf}. Given for one target they make a campaign of one. */
export const paceFlags = {
  waves: wavesFlag({
    description:
      'reach so many targets, then so many, … of all; 1% is at least one [default: 100%]',
  }),
  'wave-pause': durationFlag({
    description: 'wait so long after each wave, to see what comes of it [default: 0]',
  }),
  'max-failures': limitFlag({
    description:
      'stop when more fail: a share of the wave, or a number of all targets [default: 2%]',
  }),
  'max-refusals': limitFlag({
    description:
      'stop when the gate refuses more than before at more of the targets that are done: a share of them, or a number',
  }),
  jitter: durationFlag({
    description: 'spread the starts at random over so long [default: 0]',
  }),
  window: windowFlag({
    description:
      "start targets only then: by the plant's own clock, or between its sunset and sunrise",
  }),
}

interface PaceValues {
  waves?: Wave[] | undefined
  'wave-pause'?: number | undefined
  'max-failures'?: Limit | undefined
  'max-refusals'?: Limit | undefined
  jitter?: number | undefined
  window?: Window | 'now' | undefined
}

/** The pace that these flags ask for. */
export function paceOf(flags: PaceValues): Pace {
  return {
    waves: flags.waves ?? ONE_WAVE,
    maxFailures: flags['max-failures'] ?? DEFAULT_MAX_FAILURES,
    maxRefusals: flags['max-refusals'] ?? null,
    wavePauseMs: flags['wave-pause'] ?? 0,
    jitterMs: flags.jitter ?? 0,
    window: flags.window === undefined || flags.window === 'now' ? null : flags.window,
  }
}

/** What decides whether a command line is about one target or makes a campaign. */
interface ChoiceValues extends PaceValues {
  all: boolean
  detach: boolean
  'older-than'?: number | undefined
  'dry-run': boolean
  concurrency?: number | undefined
}

/** Whether many are meant, or one with a pace: then the engine does it, and shows no secret. */
export function isCampaign(targets: readonly string[], flags: ChoiceValues): boolean {
  return targets.length !== 1 || campaignFlag(flags) !== undefined
}

/** Throws UsageError where no target is named, or too much is. */
export function requireChoice(targets: readonly string[], flags: ChoiceValues): void {
  const isMany = flags.all || flags['older-than'] !== undefined
  if (targets.length === 0 && !isMany)
    throw new UsageError('usage', 'missing INSTALLATION', {
      suggestions: ['name one or more, or give --all'],
    })
  if (targets.length > 0 && flags.all)
    throw new UsageError('usage', '--all and INSTALLATION exclude each other')
}

/** The flag that makes a campaign even of one target; undefined when none was given. */
export function campaignFlag(flags: ChoiceValues): string | undefined {
  const { all, 'older-than': olderThan, detach, 'dry-run': dryRun, concurrency } = flags
  const isGiven = {
    all,
    'older-than': olderThan !== undefined,
    detach,
    'dry-run': dryRun,
    concurrency: concurrency !== undefined,
    waves: flags.waves !== undefined,
    'wave-pause': flags['wave-pause'] !== undefined,
    'max-failures': flags['max-failures'] !== undefined,
    'max-refusals': flags['max-refusals'] !== undefined,
    jitter: flags.jitter !== undefined,
    window: flags.window !== undefined,
  }
  return Object.entries(isGiven).find(([, given]) => given)?.[0]
}
