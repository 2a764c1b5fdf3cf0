import type { ManifestCommand } from '../manifest.js'

/** A command line in parts, so that a test can put something else in the place of one part. */
export interface Line {
  args?: Record<string, string>
  flags?: Record<string, string | true>
  /** The exit code it ends with; a test whose commands do not do what it thinks proves nothing. */
  code: number
  /** Who runs it, where it is not staff. */
  role?: 'owner'
  /** What is wrong with its surroundings. */
  fault?: 'login' | 'keyring'
}

/** One command with arguments that succeed and with arguments that fail. */
export interface Scenario {
  succeeds: Line
  fails: Line
  /** It must be alone: others need what it replaces. */
  isAlone?: true
  /** It needs more than a command line on a database; a test that walks the table runs it by hand. */
  isSpecial?: true
}

/** Scenarios by the id of their command. */
export type Scenarios = Record<string, (stand: Stand) => Scenario>

/** What one use of a scenario stands on. Nothing of it is used twice. */
export interface Stand {
  /** A number that no other stand has. */
  number: number
  /** An installation with a key, at which {@link serial} stands. */
  installation: string
  /** An installation without a key. */
  bareInstallation: string
  serial: string
  /** An unfinished campaign with that installation as its only target. */
  campaign: string
  /** An installer who may install at {@link installation}. */
  email: string
  /** A path at which nothing is. */
  path(name: string): string
  /** Writes a file that its owner alone may read. */
  file(name: string, text: string): string
  /** A key and a token that the gate accepts together, and a token that nobody signed. */
  apiKey: string
  token: string
  forgedToken: string
  /** An installation with a router whose password and Wi-Fi passphrase are recorded. */
  routerInstallation: string
  /** The password of a person to be added. */
  password: string
}

/** A line's words as they are typed; flags first, so that an argument may begin with a dash. */
export function wordsOf(
  { id, args: known }: ManifestCommand,
  { args = {}, flags = {} }: Pick<Line, 'args' | 'flags'>,
): string[] {
  const order = Object.keys(known)
  const given = Object.entries(args)
    .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    .map(([, value]) => value)
  return [
    ...id.split(':'),
    ...Object.entries(flags).map(([name, value]) =>
      value === true ? `--${name}` : `--${name}=${value}`,
    ),
    ...(given.some((value) => value.startsWith('-')) ? ['--'] : []),
    ...given,
  ]
}
