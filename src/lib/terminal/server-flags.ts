import { Flags } from '@oclif/core'
import type { AskedServers } from '../access/named-servers.js'

/** Flags that name database servers. @param what they are to the command */
export function serverFlags(what: string) {
  return {
    dsn: Flags.string({
      description: `${what} (without any: the server of the cleverctl database); may be given several times. A password in it is refused (PGPASSFILE), certificates are verified unless sslmode says otherwise`,
      helpValue: 'URL',
      multiple: true,
      multipleNonGreedy: true,
    }),
    host: Flags.string({
      description: 'the same by the name of a recorded host, over SSH; may be given several times',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'all-hosts': Flags.boolean({ description: 'every recorded database host' }),
  }
}

/** What these flags say. */
export function serversOf(flags: {
  dsn?: string[] | undefined
  host?: string[] | undefined
  'all-hosts': boolean
}): AskedServers {
  return { dsns: flags.dsn ?? [], hosts: flags.host ?? [], isAllHosts: flags['all-hosts'] }
}
