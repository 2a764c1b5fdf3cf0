import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from '../errors.js'
import { errorCode } from '../file-system.js'

/** What OpenSSH's configuration says of a host; undefined where it says nothing. */
export interface ConfiguredHost {
  address: string
  port: number | undefined
  username: string | undefined
  identityFile: string | undefined
  /** ProxyJump, as it stands there; each is a name that the configuration may know as well. */
  jumps: readonly string[]
}

/** Looks a host up by the name that a person gave it. */
export type HostLookup = (name: string) => ConfiguredHost

/**
 * Reads OpenSSH's configuration. `Match exec` runs nothing here: such a block never matches. `Include`
 * is not followed.
 * @param path a file; undefined is ~/.ssh/config, which need not exist
 * @throws UsageError when a file that was named cannot be read
 */
export async function readSshConfig(path: string | undefined): Promise<HostLookup> {
  const text = await readFile(path ?? join(homedir(), '.ssh', 'config'), 'utf8').catch(
    (error: unknown) => {
      if (path === undefined && errorCode(error) === 'ENOENT') return ''
      throw new UsageError('unreadable-file', `cannot read ${path} (${errorCode(error)})`)
    },
  )
  const { default: SshConfig } = await import('ssh-config')
  const config = parse(() => SshConfig.parse(text), path)
  return (name) => {
    const found = config.compute(name, { ignoreCase: true, matchExec: false })
    const word = (key: string): string | undefined => {
      const [first] = [found[key]].flat()
      return first === undefined || first === '' ? undefined : first
    }
    const port = Number(word('port'))
    const jump = word('proxyjump')
    const identity = word('identityfile')
    return {
      address: (word('hostname') ?? name).replaceAll('%h', name),
      port: Number.isInteger(port) ? port : undefined,
      username: word('user'),
      identityFile: identity?.replace(/^(?:~|%d)(?=\/)/, homedir()).replaceAll('%h', name),
      jumps:
        jump === undefined || jump === 'none' ? [] : jump.split(',').map((each) => each.trim()),
    }
  }
}

/** The library throws plain errors for what it cannot read. */
function parse<Parsed>(work: () => Parsed, path: string | undefined): Parsed {
  try {
    return work()
  } catch (error) {
    throw new UsageError('bad-ssh-config', `${path ?? '~/.ssh/config'} is no ssh configuration`, {
      cause: error,
    })
  }
}
