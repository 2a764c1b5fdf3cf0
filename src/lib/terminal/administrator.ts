import { Flags } from '@oclif/core'
import type { Administrator } from '../host/administrator.js'
import type { Secret } from '../secret.js'
import { readIdentity } from '../ssh/identity.js'

/** For commands that change machines as root. @param more.dependsOn flags without which a key is of no use */
export function administratorFlags(more: { dependsOn: string[] } = { dependsOn: [] }) {
  return {
    username: Flags.string({
      description: 'administrator who installs it',
      helpValue: 'NAME',
      default: 'root',
    }),
    identity: Flags.string({
      description:
        "the administrator's private key, readable by you alone; not stored (without it your ssh-agent)",
      helpValue: 'FILE',
      ...more,
    }),
    'passphrase-file': Flags.string({
      description: "file with that key's passphrase; - reads stdin (asked for in a terminal)",
      helpValue: 'FILE|-',
      dependsOn: ['identity'],
    }),
  }
}

/**
 * Reads what {@link administratorFlags} say.
 * @param ask as `BaseCommand.secretInput`
 * @throws UsageError for a key that cannot be read
 */
export async function readAdministrator(
  flags: {
    username: string
    identity?: string | undefined
    'passphrase-file'?: string | undefined
  },
  ask: (input: { file: string | undefined; flagName: string; question: string }) => Promise<Secret>,
): Promise<Administrator> {
  const { username, identity: path, 'passphrase-file': file } = flags
  const question = 'Passphrase of the private key'
  const passphrase = () => ask({ file, flagName: 'passphrase-file', question })
  const identity =
    path === undefined ? undefined : await readIdentity(path, '--identity', passphrase)
  return { username, identity }
}
