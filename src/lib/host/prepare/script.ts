import { readFile } from 'node:fs/promises'
import {
  connectionTo,
  RECEIVE_PROGRAM,
  receiverName,
  receiverUnit,
} from '../../backup/basebackup/receiver.js'
import { packagedFile } from '../../packaged-file.js'
import type { HostRow } from '../store.js'
import { SNAPSHOT_DRIVERS, type Basebackup } from '../types.js'

/** Where the forced command lies. */
const SNAPSHOT_PROGRAM = '/usr/local/sbin/cleverctl-snapshot'

/** A machine whose pgBackRest comes in by SSH. */
export interface Peer {
  name: string
  /** Type and base64. */
  publicKey: string
  addresses: readonly string[]
}

/** What a host's script is made of. */
export interface Preparation {
  host: HostRow
  /** Of cleverctl, where the host makes snapshots. */
  publicKey: string | undefined
  peers: readonly Peer[]
  /** Of the same cluster. */
  databases: readonly HostRow[]
}

/** The script that prepares a host: it is run there as root, as often as one likes. */
export async function preparationScript(given: Preparation): Promise<string> {
  const { host, publicKey, peers, databases } = given
  const steps: string[] = []
  if (publicKey !== undefined && host.snapshot !== null) {
    const program = await snapshotProgram()
    steps.push(
      `replace ${SNAPSHOT_PROGRAM} 755 root <<'END_OF_PROGRAM'\n${program}END_OF_PROGRAM`,
      `place ${host.snapshot.directory} root`,
      `authorize root ${quote(publicKey)} ${quote(snapshotOptions(host))} yes`,
      'root_login',
    )
  }
  for (const peer of peers)
    steps.push(
      `# pgBackRest of ${peer.name}`,
      `authorize ${host.username} ${quote(peer.publicKey)} ${quote(peerOptions(peer))} no`,
    )
  if (host.basebackup) steps.push(...(await receiverSteps(host, host.basebackup, databases)))
  const functions = await rootFunctions()
  return `${functions}\n# ${host.name}\n${steps.join('\n')}\n`
}

/** The beginning of every script for root: how a file gets its text, a folder its owner, a key its limits. */
export async function rootFunctions(): Promise<string> {
  return readFile(packagedFile('host/prepare/install.sh'), 'utf8')
}

const DRIVERS_STAND_HERE = '# The drivers stand here.\n'

/** The text of the forced command, with every driver: a snapshot outlives a change of the driver. */
export async function snapshotProgram(): Promise<string> {
  const read = (path: string) => readFile(packagedFile(`snapshot/${path}`), 'utf8')
  const drivers = SNAPSHOT_DRIVERS.map((driver) => read(`drivers/${driver}.sh`))
  const [program, texts] = [await read('host.sh'), await Promise.all(drivers)]
  return program.replace(DRIVERS_STAND_HERE, () => texts.join('\n'))
}

async function receiverSteps(
  { username, stanza }: HostRow,
  { directory, role }: Basebackup,
  databases: readonly HostRow[],
): Promise<string[]> {
  const program = await readFile(packagedFile('backup/basebackup/receive.sh'), 'utf8')
  const connection = connectionTo(databases, role)
  const words = { stanza, user: username, programs: '$programs', directory, connection }
  const { path, text } = receiverUnit(words)
  return [
    `place ${directory} ${username}`,
    'find_programs',
    `replace ${RECEIVE_PROGRAM} 755 root <<'END_OF_PROGRAM'\n${program}END_OF_PROGRAM`,
    `replace ${path} 644 root <<END_OF_UNIT\n${text}END_OF_UNIT`,
    `service ${receiverName(stanza)}`,
  ]
}

/** What the forced command is told of its host: driver, port, data directory and place. */
export function snapshotWords({ snapshot, postgresql }: HostRow): string {
  const { driver, directory } = snapshot ?? { driver: '', directory: '' }
  const { port, dataDirectory } = postgresql ?? { port: 0, dataDirectory: '' }
  return `${driver} ${port} ${dataDirectory} ${directory}`
}

function snapshotOptions(host: HostRow): string {
  return `restrict,command="${SNAPSHOT_PROGRAM} ${snapshotWords(host)}"`
}

/**
 * The options of a line of authorized_keys that limit another machine to pgBackRest's remote side. With the forced
 * command of pgBackRest's manual the other machine could stop backups, or delete them; with one that looks at the end
 * alone it could do so by an option that ends in `:remote`. So every word but the last is an option, the last is a
 * command's remote side, and there is no character that the shell reads in another way.
 */
function peerLimits(): string {
  const command = [
    'case "$SSH_ORIGINAL_COMMAND" in',
    '*[!A-Za-z0-9" "_./:=,+@%-]*|*" "[!-]*" "*) ;;',
    // By a path where pgBackRest was called by one on the other machine.
    '*pgbackrest" "[a-z]*:remote|*pgbackrest" -"*" "[a-z]*:remote) exec pgbackrest ${SSH_ORIGINAL_COMMAND#* };;',
    'esac; echo refused >&2; exit 64',
  ].join(' ')
  return `restrict,command="${command.replaceAll('"', '\\"')}"`
}

/** What a line of authorized_keys puts before another machine's key: from where it may come, and to do what. */
export function peerOptions({ addresses }: Pick<Peer, 'addresses'>): string {
  return `from="${addresses.join(',')}",${peerLimits()}`
}

/** Whether a line of authorized_keys lets another machine's pgBackRest in as {@link peerOptions} does. */
export function isPeerLine(line: string): boolean {
  return /^from="[^"]+",/.test(line) && line.includes(`",${peerLimits()} `)
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
