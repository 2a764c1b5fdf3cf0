import { FailureError } from '../errors.js'
import { lastWords } from '../host/say.js'
import type { HostRow } from '../host/store.js'
import type { SshSession } from '../ssh/session.js'
import {
  askStanza,
  IO_TIMEOUT_S,
  LONGEST_MS,
  REPOSITORY_STATUS,
  type RepositoryStatus,
} from './info.js'
import type { SeenByHost } from './judge-repositories.js'

/** Files of pgBackRest's configuration, as far as there are any. */
const CONFIGURATION = `conf=/etc/pgbackrest/pgbackrest.conf
[ -e "$conf" ] || conf=/etc/pgbackrest.conf
conf="$conf $(find /etc/pgbackrest/conf.d -name '*.conf' 2>/dev/null)"`

/**
 * Asks pgBackRest of a machine for each repository.
 * @throws FailureError where it cannot be asked
 */
export async function askRepositories(session: SshSession, host: HostRow): Promise<SeenByHost> {
  const { name, role, stanza } = host
  if (role === 'database') {
    const repositories = await askOnDatabase(session, stanza)
    return { host: name, role, info: { repositories, backups: [], archives: [] }, unverified: [] }
  }
  const info = await askStanza(session, stanza)
  return { host: name, role, info, unverified: await askUnverified(session) }
}

/**
 * A database host has no passphrase of a repository: it comes to all of them through the backup machine, where pgBackRest
 * 2.45 tells it that of the first one alone. Files of a further one it can list and not read, so `info` fails there.
 */
async function askOnDatabase(session: SshSession, stanza: string): Promise<RepositoryStatus[]> {
  const script = `${CONFIGURATION}
for number in $(sed -n 's/^[[:space:]]*repo\\([0-9][0-9]*\\)-.*/\\1/p' $conf | sort -nu); do
  said=$(pgbackrest --stanza=${stanza} --repo=$number --io-timeout=${IO_TIMEOUT_S} --log-level-console=off \\
    --log-level-stderr=error repo-ls archive/${stanza} 2>&1) && code=0 || code=$?
  printf '%s\\t%s\\t%s\\n' "$number" "$code" "$(printf %s "$said" | tr '\\n\\t' '  ')"
done`
  return (await lines(session, script)).map((line): RepositoryStatus => {
    const [number = '', code = '', said = ''] = line.split('\t')
    const found = { number: Number(number), isEncrypted: null }
    const { ok, noStanzaPath, other } = REPOSITORY_STATUS
    if (code !== '0') return { ...found, code: other, message: said.slice(0, 300) }
    return /\barchive\.info\b/.test(said)
      ? { ...found, code: ok, message: 'ok' }
      : { ...found, code: noStanzaPath, message: 'missing stanza path' }
  })
}

async function askUnverified(session: SshSession): Promise<number[]> {
  const option =
    's/^[[:space:]]*repo\\([0-9][0-9]*\\)-storage-verify-tls[[:space:]]*=[[:space:]]*n.*/\\1/p'
  return (await lines(session, `${CONFIGURATION}\nsed -n '${option}' $conf`)).map(Number)
}

async function lines(session: SshSession, script: string): Promise<string[]> {
  const result = await session.run(script, { timeoutMs: LONGEST_MS })
  if (result.code !== 0)
    throw new FailureError('pgbackrest-failed', `pgbackrest repo-ls: ${lastWords(result)}`)
  return result.stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
}
