/** What one check of a drill found. */
export interface DrillCheck {
  name: string
  /** `absent`: there is nothing of that kind to check, e.g. no page checksums in the whole cluster. */
  state: 'ok' | 'failed' | 'not-checked' | 'absent'
  message: string
  durationMs: number
}

/** `proven` where nothing failed and nothing was left unchecked. */
export type DrillResult = 'proven' | 'failed' | 'not-checked'

/** What all checks together say. One that could not be carried out proves nothing. Pure. */
export function resultOfChecks(checks: readonly DrillCheck[]): DrillResult {
  const has = (wanted: DrillCheck['state']) => checks.some(({ state }) => state === wanted)
  if (has('failed')) return 'failed'
  return has('not-checked') || !has('ok') ? 'not-checked' : 'proven'
}

/** Why checks came to a result that is not `proven`: the message of the first that did. Pure. */
export function reasonOf(checks: readonly DrillCheck[], result: DrillResult): string {
  return checks.find(({ state }) => state === result)?.message ?? 'nothing could be looked at'
}
