import { createHash } from 'node:crypto'

/** What routers come with, and what people take for the time being. */
const DEFAULTS: readonly string[] = [
  ...['', '1234', '12345678', '123456789', '1234567890', '00000000', '11111111', '88888888'],
  ...['admin', 'admin01', 'admin123', 'administrator', 'changeme', 'default', 'goodlife'],
  ...['mikrotik', 'openwrt', 'password', 'password1', 'passw0rd', 'qwertyui', 'root', 'router'],
  ...['teltonika', 'ubnt', 'wireless', 'welcome1'],
]
const HASHES = ['md5', 'sha1', 'sha256'] as const
/** How much of a hash somebody takes; 63 is the longest passphrase. */
const LENGTHS = [8, 10, 12, 16, 20, 32, 40, 63, 64]
const TAILS = [6, 8, 10, 12]

/** How a secret can be guessed; undefined: not by what is tried here. */
export type Guess = 'default-secret' | 'derived-secret' | undefined

/**
 * Tells whether a secret is one that everybody knows, or computed from what a router shows.
 * @param labels MAC addresses, serial numbers and names
 * @param isSecret whether a candidate is the secret
 */
export function guess(labels: readonly string[], isSecret: (candidate: string) => boolean): Guess {
  if (DEFAULTS.some(isSecret)) return 'default-secret'
  for (const label of labels)
    for (const form of formsOf(label))
      for (const candidate of derivedFrom(form)) if (isSecret(candidate)) return 'derived-secret'
  return undefined
}

function formsOf(label: string): Set<string> {
  const isMac = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(label)
  const bare = isMac ? [label.replaceAll(':', ''), label.replaceAll(':', '-')] : []
  return new Set([label, ...bare].flatMap((text) => [text, text.toLowerCase(), text.toUpperCase()]))
}

function* derivedFrom(form: string): Generator<string> {
  yield form
  for (const length of TAILS) if (form.length > length) yield form.slice(-length)
  for (const name of HASHES) {
    const hash = createHash(name).update(form).digest('hex')
    for (const length of LENGTHS) if (length <= hash.length) yield hash.slice(0, length)
  }
}
