import { isLsn } from '../../cluster/lsn.js'
import { FailureError } from '../../errors.js'
import { parseObject } from '../../json.js'

/** What engine.sh writes beside a backup; times in seconds since 1970. */
export interface BasebackupFacts {
  label: string
  startedAt: number
  stoppedAt: number
  bytes: number
  version: string
  systemIdentifier: string
  segmentBytes: number
  /** 0 where pages have none. */
  pageChecksums: number
  startTimeline: number
  startLsn: string
  stopTimeline: number
  stopLsn: string
  from: string
}

const TEXTS: Record<string, RegExp> = {
  version: /^\d{1,3}$/,
  systemIdentifier: /^\d{1,20}$/,
  from: /^(?:primary|standby)$/,
}
const NUMBERS = ['startedAt', 'stoppedAt', 'bytes', 'pageChecksums']
const POSITIVE = ['segmentBytes', 'startTimeline', 'stopTimeline']
/** The last moment that a date can be, in seconds. */
const LATEST = 8.64e12

/**
 * Reads the facts of a backup. Pure.
 * @param label the name of its folder
 * @throws FailureError for anything that engine.sh does not write
 */
export function readFacts(label: string, json: string): BasebackupFacts {
  const facts = parseObject(json)
  if (facts !== undefined && isSound(label, facts)) return facts
  throw new FailureError('backup-unreadable', `the facts of the backup ${label} cannot be read`, {
    suggestions: [`move ${label} out of the folder of the backups, with what is left of it`],
  })
}

function isSound(
  label: string,
  facts: Record<string, unknown>,
): facts is Record<string, unknown> & BasebackupFacts {
  const isNumber = (name: string, least: number) => {
    const value = facts[name]
    return Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= LATEST
  }
  return (
    facts['label'] === label &&
    Object.entries(TEXTS).every(([name, form]) => form.test(String(facts[name]))) &&
    isLsn(facts['startLsn']) &&
    isLsn(facts['stopLsn']) &&
    NUMBERS.every((name) => isNumber(name, 0)) &&
    POSITIVE.every((name) => isNumber(name, 1))
  )
}
