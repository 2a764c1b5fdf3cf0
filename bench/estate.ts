import { call } from '../test/support/estate/call.js'
import { EstateCommands } from '../test/support/estate/commands.js'
import type { MachineName } from '../test/support/estate/estate.js'
import { DATABASES, prepare, snapshotFlags } from '../test/support/estate/snapshots.js'
import { stopSharedCluster } from '../test/support/database.js'
import { median, ratioFigure, type Chapter, type Figure } from './measure.js'

const BACKUPS = 3
const ROUNDS = 7
/** What starting a process and asking its database may cost beside a backup, in ms. */
const BACKUP_EXTRA_MS = 500
const OPTIONS = [
  ...['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null'],
  ...['LogLevel=ERROR'],
].flatMap((option) => ['-o', option])

/** Backups, snapshot sets and the status of four machines of the tests, against the bare commands over `ssh`. */
export async function measureEstate(): Promise<Chapter> {
  const commands = await EstateCommands.up()
  try {
    await commands.addAll()
    for (const name of DATABASES) {
      await commands.add(name, '--location', 'hall-1', '--replace', ...snapshotFlags())
      await prepare(commands, name)
    }
    await commands.estate.sql(
      'db1',
      `create table reading as select n, repeat('x', 200) as text from generate_series(1, 1000000) as n`,
    )
    return {
      title: 'The database estate',
      method: `Four machines of the tests in namespaces of one machine, a database of some 270 MB; medians taken in turns: ${BACKUPS} full backups, ${ROUNDS} of everything else. The baselines are the same commands by OpenSSH's \`ssh\` with its own key exchange, and record nothing. Backups are measured without counting rows.`,
      figures: [await backups(commands), await snapshots(commands), await status(commands)],
    }
  } finally {
    await commands.down()
    await stopSharedCluster()
  }
}

async function backups(commands: EstateCommands): Promise<Figure> {
  const own: number[] = []
  const bare: number[] = []
  // The first one fills caches.
  await commands.json(['backup', 'run', '--type', 'full', '--no-count'])
  for (let round = 0; round < BACKUPS; round++) {
    own.push(await timeOf(() => commands.json(['backup', 'run', '--type', 'full', '--no-count'])))
    bare.push(
      await timeOf(() =>
        ssh(commands, 'bak1', 'pgbackrest', 'pgbackrest --stanza=main --type=full backup'),
      ),
    )
  }
  const limit = median(bare) * 1.1 + BACKUP_EXTRA_MS
  return {
    ...plain('`backup run --type full`', own, bare),
    bar: { text: 'at most 1.1× and 0.5 s', reached: median(own) <= limit },
  }
}

async function snapshots(commands: EstateCommands): Promise<Figure> {
  const own: number[] = []
  const slowest: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    own.push(
      await timeOf(() => commands.json(['snapshot', 'create', '--all', '--label', `b${round}`])),
    )
    const name = `cleverctl-20260101-00000${round}-bench`
    const each: number[] = []
    for (const host of DATABASES)
      each.push(await timeOf(() => ssh(commands, host, 'root', `create ${name}`)))
    slowest.push(Math.max(...each))
  }
  const what = '`snapshot create --all`, against the slowest single one'
  return ratioFigure(what, plain(what, own, slowest), { atMost: 1.5 })
}

async function status(commands: EstateCommands): Promise<Figure> {
  const own: number[] = []
  const bare: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await timeOf(() => commands.json(['cluster', 'status'])))
    bare.push(await timeOf(() => ssh(commands, 'db1', 'postgres', 'true')))
  }
  const what = '`cluster status`, against one `ssh HOST true`'
  return ratioFigure(what, plain(what, own, bare), { atMost: 3 })
}

function plain(
  what: string,
  own: readonly number[],
  bare: readonly number[],
): { what: string; figure: string; baseline: string; ratio: number } {
  const seconds = (values: readonly number[]) => `${(median(values) / 1000).toFixed(2)} s`
  return { what, figure: seconds(own), baseline: seconds(bare), ratio: median(own) / median(bare) }
}

async function ssh(
  { estate }: EstateCommands,
  host: MachineName,
  user: string,
  command: string,
): Promise<string> {
  const to = `${user}@${estate.machine(host).address}`
  const network = ['-t', String(estate.network), '--net']
  return call('nsenter', [
    ...network,
    'ssh',
    '-F',
    'none',
    '-i',
    estate.key,
    ...OPTIONS,
    to,
    command,
  ])
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
