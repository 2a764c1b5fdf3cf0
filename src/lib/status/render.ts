import type { Count } from './store.js'
import type { Status } from './types.js'

/**
 * The lines of the status screen, without the next steps.
 * @param time draws a moment
 */
export function statusFacts(
  status: Status,
  time: (at: string) => string,
): [label: string, value: string][] {
  const { installations, devices, apiKeys, signingKeys, readings, trail } = status
  const { withoutKey } = installations
  const expiring = apiKeys.expiringWithin30Days
  return [
    ['profile', status.profile],
    ['database', status.database.description],
    ['installations', `${whole(installations.active)} (${whole(installations.retired)} retired)`],
    [
      'devices',
      `${amount(devices.registered)} registered, ${amount(devices.installed)} installed, ${amount(devices.revoked)} revoked`,
    ],
    ['installers', whole(status.installers)],
    [
      'API keys',
      `${whole(apiKeys.inGrace)} in grace, ${whole(expiring.total)} end within 30 days, ${whole(withoutKey.total)} ${withoutKey.total === 1 ? 'installation' : 'installations'} without`,
    ],
    ...signingKeys.map(({ kid, state, since }): [string, string] => [
      'signing key',
      `${kid} ${state} since ${time(since)}`,
    ]),
    [
      'readings',
      `${amount(readings.lastHour)} in the last hour, ${amount(readings.lastDay)} in the last day`,
    ],
    ['refusals', refusals(status)],
    ['trail', trail ? `row ${trail.seq}, ${time(trail.at)}, ${trail.hash}` : 'empty'],
  ]
}

function refusals({ refusalsLastDay }: Status): string {
  if (refusalsLastDay.length === 0) return 'none in the last day'
  const codes = refusalsLastDay.map(({ code, count }) => `${whole(count)} ${code}`)
  return `${codes.join(', ')} in the last day`
}

function amount({ count, isEstimate }: Count): string {
  return isEstimate ? `about ${whole(count)}` : whole(count)
}

/** Thousands apart, the same everywhere. */
function whole(count: number): string {
  return count.toLocaleString('en-GB')
}
