import type { RefusedRow } from './refusal-store.js'

/** What refused arrivals prove. */
export type RefusedEvidence = {
  refusals: number
  firstAt: string
  lastAt: string
  lastAddress: string | null
  /** By it the gate's log tells more. */
  lastRequestId: string
}

/** Refused arrivals as evidence. */
export function refusedEvidence(row: RefusedRow): RefusedEvidence {
  const { refusals, firstAt, lastAt, lastAddress, lastRequestId } = row
  return {
    refusals,
    firstAt: firstAt.toISOString(),
    lastAt: lastAt.toISOString(),
    lastAddress,
    lastRequestId,
  }
}

/** Refused arrivals in words. @param time writes a moment */
export function tellRefused(evidence: RefusedEvidence, time: (at: string) => string): string {
  const { refusals, lastAt, lastAddress } = evidence
  const from = lastAddress === null ? '' : ` from ${lastAddress}`
  return `refused ${refusals === 1 ? 'once' : `${refusals} times`}, last ${time(lastAt)}${from}`
}

/** The step against a key that somebody has who should not have it. */
export function changeKey(installation: string | null): string {
  return installation === null
    ? 'cleverctl gate refusals --since 24h --by device'
    : `cleverctl api-key rotate ${installation}`
}
