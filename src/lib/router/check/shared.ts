import { finding, type RouterCheck, type RouterFinding } from './types.js'

/** By the records and by what is on the routers: each is told once. */
export function addShared(
  check: RouterCheck,
  holders: ReadonlyMap<string, readonly string[]>,
): void {
  const told = new Set(check.findings.filter(isSharedWifi).map(({ installation }) => installation))
  for (const installations of holders.values()) {
    if (installations.length < 2) continue
    for (const installation of installations) {
      if (told.has(installation)) continue
      told.add(installation)
      check.findings.push(sharedSecret(installation, 'wifi', installations.length - 1))
    }
  }
}

const SHARED = { admin: "the router's password", wifi: "the Wi-Fi's passphrase" } as const

const isSharedWifi = ({ rule, evidence }: RouterFinding) =>
  rule === 'shared-secret' && evidence.startsWith(SHARED.wifi)

/** A secret that others have as well. */
export function sharedSecret(
  installation: string,
  kind: 'admin' | 'wifi',
  others: number,
): RouterFinding {
  const routers = others === 1 ? 'another router' : `${others} other routers`
  const evidence = `${SHARED[kind]} is that of ${routers}`
  return finding(
    'shared-secret',
    installation,
    evidence,
    `cleverctl router rotate ${installation} --what ${kind}`,
  )
}
