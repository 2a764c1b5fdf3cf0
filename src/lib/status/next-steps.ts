import type { NextStep, Status } from './types.js'

/** What to do next, by how things stand; the first things first. */
export function nextSteps(status: Omit<Status, 'next'>): NextStep[] {
  const { installations, devices, installers, apiKeys, signingKeys, refusalsLastDay } = status
  const [keyless] = installations.withoutKey.codes
  const [expiring] = apiKeys.expiringWithin30Days.codes
  const steps: (NextStep | false)[] = [
    signingKeys.length < 2 && {
      reason: 'no key signs tokens, or none is ready to be the next',
      command: 'cleverctl init',
    },
    installations.active === 0 && {
      reason: 'there is no installation',
      command:
        'cleverctl installation create solar-0042 --name "Almeria 42" --timezone Europe/Madrid --latitude 36.84 --longitude -2.46',
    },
    devices.registered.count === 0 && {
      reason: 'no device is registered',
      command: 'cleverctl device import factory.csv --secrets-out secrets.csv',
    },
    installers === 0 && {
      reason: 'nobody may use the mobile app',
      command:
        'cleverctl installer add installer@example.com --name Installer --password-file FILE',
    },
    keyless !== undefined && {
      reason: `installations without a key that works: ${installations.withoutKey.total}`,
      command: `cleverctl api-key issue ${keyless} --output key.txt`,
    },
    expiring !== undefined && {
      reason: `keys that end within 30 days: ${apiKeys.expiringWithin30Days.total}`,
      command: `cleverctl api-key rotate ${expiring} --grace 24h --output key2.txt`,
    },
    refusalsLastDay.length > 0 && {
      reason: 'arrivals were refused',
      command: 'cleverctl gate refusals --since 24h',
    },
  ]
  return steps.filter((step) => step !== false)
}
