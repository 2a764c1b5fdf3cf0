import { FailureError } from '../errors.js'
import type { SshSession } from '../ssh/session.js'
import { shellWord } from '../shell-word.js'

/** Where packages put them: Debian's, those of postgresql.org for Red Hat, and a build of one's own. */
const FOLDERS = [
  '/usr/lib/postgresql/VERSION/bin',
  '/usr/pgsql-VERSION/bin',
  '/usr/local/pgsql/bin',
]

/**
 * Where the programs of a release of PostgreSQL are on a machine.
 * @param version the release, e.g. `15`
 * @throws FailureError when it is not installed
 */
export async function findPrograms(session: SshSession, version: string): Promise<string> {
  const folders = FOLDERS.map((folder) => shellWord(folder.replace('VERSION', version))).join(' ')
  const script = `for folder in ${folders}; do
    case $("$folder/postgres" --version 2>/dev/null) in *' '${version}|*' '${version}[.\\ ]*) echo "$folder"; exit;; esac
  done; exit 1`
  const { code, stdout } = await session.run(script)
  if (code === 0) return stdout.toString('utf8').trim()
  throw new FailureError('no-postgresql', `PostgreSQL ${version} is not installed there`, {
    suggestions: [`apt-get install postgresql-${version}, on that machine`],
  })
}
