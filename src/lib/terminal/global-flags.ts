import { Flags } from '@oclif/core'

/** The flags that every command has. */
export const globalFlags = {
  json: Flags.boolean({
    description: 'print the result as one JSON document',
    helpGroup: 'GLOBAL',
  }),
  profile: Flags.string({
    description: 'profile to use (cleverctl help config)',
    env: 'CLEVERCTL_PROFILE',
    helpGroup: 'GLOBAL',
    helpValue: 'NAME',
  }),
  'database-url': Flags.string({
    description: 'PostgreSQL to use instead of the embedded one; a password in it is refused',
    helpGroup: 'GLOBAL',
    helpValue: 'URL',
  }),
  'no-input': Flags.boolean({
    description: 'never ask; fail naming the missing flag',
    helpGroup: 'GLOBAL',
  }),
  quiet: Flags.boolean({
    description: 'no progress and no notices on stderr',
    helpGroup: 'GLOBAL',
  }),
  verbose: Flags.boolean({
    description: 'details for hunting a fault on stderr',
    helpGroup: 'GLOBAL',
  }),
}

/** The same as `this.parse` gives them; oclif itself knows --json. */
export interface GlobalFlags {
  profile?: string | undefined
  'database-url'?: string | undefined
  'no-input': boolean
  quiet: boolean
  verbose: boolean
}
