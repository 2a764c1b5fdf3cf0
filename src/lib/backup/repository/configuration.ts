import { createHash } from 'node:crypto'
import type { Secret } from '../../secret.js'
import type { RepositoryAccess, RepositoryFacts } from './types.js'

/** A file on a machine that the configuration of a repository names. */
export interface NamedFile {
  path: string
  text: string
}

/** What a backup machine needs to know of a repository. Holds secrets in the clear: it goes to stdin and nowhere else. */
export interface RepositoryConfiguration {
  text: string
  files: NamedFile[]
}

/** Where pgBackRest looks for more configuration beside its own (its `config-include-path`). */
export const CONFIGURATION_FOLDER = '/etc/pgbackrest/conf.d'
const FILES_FOLDER = '/etc/pgbackrest'
const HASH_DIGITS = 16

/**
 * The configuration of a repository on the backup machine, by pgBackRest's configuration reference. It is always
 * encrypted, and the certificate of a cloud always verified. Files have the hash of their content in their names, so
 * that an older configuration still finds its own.
 * @param given.authority certificates of another authority than the system's, PEM
 */
export function configurationOf(
  { number, kind, settings }: RepositoryFacts,
  given: { access: RepositoryAccess; passphrase: Secret; authority: string | undefined },
): RepositoryConfiguration {
  const { access, passphrase, authority } = given
  const files: NamedFile[] = []
  const file = (text: string, suffix: string) => {
    const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS)
    const path = `${FILES_FOLDER}/cleverctl-repo${number}-${hash}.${suffix}`
    files.push({ path, text })
    return path
  }
  const { path, port, ...own } = settings
  const options: [name: string, value: string | undefined][] = [
    ['type', kind],
    ['path', path],
    ...Object.entries(own).map(([name, value]): [string, string] => [`${kind}-${name}`, value]),
    ...accessOptions(access, (text) => file(text, 'json')),
    ['storage-port', port],
    ['storage-ca-file', authority && file(authority, 'pem')],
    ['cipher-type', 'aes-256-cbc'],
    ['cipher-pass', passphrase.reveal()],
    ['bundle', 'y'],
  ]
  const lines = options
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `repo${number}-${name}=${value}\n`)
  return { text: `${HEADING}[global]\n${lines.join('')}`, files }
}

const HEADING =
  '# Written by cleverctl backup repo add, which replaces it when it is given again.\n'

function accessOptions(
  access: RepositoryAccess,
  keyFile: (text: string) => string,
): [name: string, value: string][] {
  switch (access.kind) {
    case 'posix':
      return []
    case 's3':
      return [
        ['s3-key', access.keyId.reveal()],
        ['s3-key-secret', access.key.reveal()],
      ]
    case 'azure':
      return [
        ['azure-key-type', access.keyType],
        ['azure-key', access.key.reveal()],
      ]
    case 'gcs':
      return [
        ['gcs-key-type', 'service'],
        ['gcs-key', keyFile(access.serviceAccount.reveal())],
      ]
  }
}
