import type { RetentionPolicy } from './decide.js'

/** A policy as flags describe it. */
export interface RetentionFlags {
  'keep-within': number
  'keep-hourly': number
  'keep-daily': number
  'keep-weekly': number
  'keep-monthly': number
  'keep-yearly': number
  'time-zone': string
}

/** Reads a policy from its flags. */
export function retentionPolicy(flags: RetentionFlags): RetentionPolicy {
  return {
    withinMs: flags['keep-within'],
    hourly: flags['keep-hourly'],
    daily: flags['keep-daily'],
    weekly: flags['keep-weekly'],
    monthly: flags['keep-monthly'],
    yearly: flags['keep-yearly'],
    timeZone: flags['time-zone'],
  }
}
