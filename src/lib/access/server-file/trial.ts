import { createHash, randomUUID } from 'node:crypto'
import type { Queryable } from '../../database/database.js'
import { isSqlState, SqlState } from '../../database/sqlstate.js'
import { shellWord } from '../../shell-word.js'
import type { FileSetting, ServerFile } from './file.js'

/** Longer than a server may take to read its configuration and a login to be refused. */
export const TRIAL_SECONDS = 120

/** A text on trial: the server takes it back by itself unless it is told in time that it stays. */
export interface Trial {
  /** A file in the data directory that holds the former text, as long as it is not decided. */
  marker: string
}

/**
 * `take_back MARKER FILE`, run in the data directory: whoever renames the marker decides. The former text is put back, and
 * the server told to read it, where the file still is what was on trial. What a kill cuts off can be done again.
 */
const TAKE_BACK = `take_back() {
  undo=\${1%.undo}.undo; [ "$1" = "$undo" ] || mv "$1" "$undo" 2>/dev/null || return 0
  digest=\${undo%.undo}; digest=\${digest##*-}
  if [ "$(sha256sum < "$2" | cut -c 1-64)" = "$digest" ]; then
    cp -p "$2" "$2.cleverctl-undo"; cat "$undo" > "$2.cleverctl-undo"
    sync "$2.cleverctl-undo"; mv "$2.cleverctl-undo" "$2"
    read -r postmaster < postmaster.pid; kill -HUP "$postmaster"
  fi
  rm -f "$undo"
}`

/**
 * Files and the socket of the session, which a program inherits, are not held open by one that outlives it. Only bash can
 * close those with a number of two digits.
 */
const CLOSE_FILES = `for file in /dev/fd/*; do
  case \${BASH_VERSION:+any}\${file##*/} in
    [3-9] | any[3-9] | any[1-9][0-9]*) eval "exec \${file##*/}>&-" ;;
  esac
done`

/**
 * Gives a file another text by one rename, with the owner and the mode that it had; the former one stays beside it.
 * Nothing is changed where it is not as it was read. A process that outlives this connection and this program waits on the
 * server, and takes the text back. A standby can do this as well: COPY to a program writes no table.
 * @param setting by which the server knows the file
 */
export async function writeOnTrial(
  server: Queryable,
  file: ServerFile,
  given: { setting: FileSetting; text: string; seconds: number },
): Promise<Trial> {
  const { setting, text, seconds } = given
  const marker = `${prefixOf(setting)}${randomUUID()}-${digestOf(text)}`
  // It ends within a second of the decision.
  const watch = `${CLOSE_FILES}
    ${TAKE_BACK}
    left=${seconds}
    while [ $left -gt 0 ]; do sleep 1; [ -e "$1" ] || exit 0; left=$((left - 1)); done
    set -eu; take_back "$1" "$2"`
  const script = `set -eu; umask 077; file=$(readlink -f ${shellWord(file.path)})
    new=$file.cleverctl-new; cp -p "$file" "$new"
    [ "$(sha256sum < "$new" | cut -c 1-64)" = ${digestOf(file.text)} ]
    base64 -d > "$new"; cp -p "$file" "$file.cleverctl-former"
    cp "$file" ${marker}; sync "$new" "$file.cleverctl-former" ${marker}
    $(command -v setsid) $(command -v bash || command -v sh) -c ${shellWord(watch)} watch ${marker} "$file" \\
      < /dev/null > /dev/null 2>&1 &
    mv "$new" "$file"`
  await runProgram(server, script, Buffer.from(text, 'latin1').toString('base64'))
  return { marker }
}

/** Has a text stay. @returns false where the server has taken it back */
export async function keepTrial(server: Queryable, { marker }: Trial): Promise<boolean> {
  try {
    await runProgram(server, `rm ${marker}`)
    return true
  } catch (error) {
    if (isSqlState(error, SqlState.EXTERNAL_ROUTINE_EXCEPTION)) return false
    throw error
  }
}

/** Whether a text of the file that a setting names is on trial, or being taken back. */
export async function isOnTrial(server: Queryable, setting: FileSetting): Promise<boolean> {
  try {
    const { rowCount } = await server.query(
      `select from pg_ls_dir('.') as name where starts_with(name, $1)`,
      [prefixOf(setting)],
    )
    return rowCount !== 0
  } catch (error) {
    // Whoever may not look there cannot write there either, as on a managed server.
    if (isSqlState(error, SqlState.INSUFFICIENT_PRIVILEGE)) return false
    throw error
  }
}

/** Takes back every text of a file that is on trial: no run that waits for its end is left when another begins. */
export async function takeBackTrials(server: Queryable, setting: FileSetting, path: string) {
  await runProgram(
    server,
    `set -eu; umask 077; ${TAKE_BACK}
    file=$(readlink -f ${shellWord(path)})
    for marker in ${prefixOf(setting)}*; do [ ! -e "$marker" ] || take_back "$marker" "$file"; done`,
  )
}

function prefixOf(setting: FileSetting): string {
  return `cleverctl-trial-${setting}-`
}

function digestOf(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex')
}

/** Has the server run lines of shell in its data directory. @param input a line on their stdin, which they read */
async function runProgram(server: Queryable, script: string, input?: string): Promise<void> {
  // COPY fails where nobody reads what it writes.
  const reading = input === undefined ? `cat > /dev/null; ${script}` : script
  const text = reading.replaceAll('\\', '\\\\').replaceAll("'", "\\'")
  await server.query(`copy (select '${input ?? ''}') to program E'${text}'`)
}
