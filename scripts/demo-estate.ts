/** `npm run demo:estate`: the story of three databases and their backups, told with the real program. */
import assert from 'node:assert/strict'
import { EstateCommands } from '../test/support/estate/commands.js'
import { canRunEstate } from '../test/support/estate/estate.js'
import { DATABASES, prepare, snapshotFlags } from '../test/support/estate/snapshots.js'
import { stopSharedCluster } from '../test/support/database.js'
import { playStory, SCREEN, show, tell, type Step } from './story.js'

const ARCHIVE = '/var/lib/pgbackrest/archive/main/15-1'

const say = (commands: EstateCommands, line: string, code = 0) =>
  show((words) => commands.run(words, { screen: SCREEN }), line.split(' '), code)

const story: readonly Step<EstateCommands>[] = [
  {
    title: 'A primary, two standbys, a machine for backups: the primary is found by asking',
    play: async (commands) => {
      const { stdout } = await say(commands, 'cluster status')
      assert.match(stdout, /^ *db1 +primary/m)
    },
  },
  {
    title: 'A backup, made while plants send readings',
    play: async (commands) => {
      const { estate } = commands
      await estate.sql('db1', 'create table reading (at timestamptz default now(), watts integer)')
      const stop = new AbortController()
      const plants = (async () => {
        while (!stop.signal.aborted)
          await estate.sql('db1', 'insert into reading (watts) select generate_series(1, 200)')
      })()
      await say(commands, 'backup run')
      stop.abort()
      await plants
    },
  },
  {
    title: 'A drill proves it: restored, started, and every row is there',
    play: async (commands) => {
      const { stdout } = await say(commands, 'backup drill')
      assert.match(stdout, /^✓ ok +rows/m)
      await say(commands, 'cluster status --check')
    },
  },
  {
    title: 'Snapshots of all three as one set, and a server started from each of them',
    play: async (commands) => {
      await say(commands, 'snapshot create --all --label nightly')
      const { sets } = (await commands.json(['snapshot', 'list'])) as unknown as {
        sets: { set: string }[]
      }
      const { stdout } = await say(commands, `snapshot drill ${sets[0]?.set}`)
      assert.match(stdout, /^✓ ok +pages/m)
    },
  },
  {
    title: 'Somebody removes a segment of WAL from the repository',
    play: async (commands) => {
      const { estate } = commands
      for (const n of [1, 2, 3]) {
        await estate.sql('db1', `create table mark_${n} as select ${n} as n`)
        await estate.sql('db1', 'select pg_switch_wal()')
      }
      const machine = estate.machine('bak1')
      const list = await machine.script(`ls ${ARCHIVE}/0000000100000000/*-* | sort | tail -2`)
      const [file = ''] = list.split('\n')
      await machine.script(`mv ${file} /root/kept`)
      tell(`    (pgBackRest's own verify ends with 0)`)
      const { stdout } = await say(commands, 'backup verify', 8)
      assert.match(stdout, /is missing/)
      await machine.script(`mv /root/kept ${file}`)
      await say(commands, 'backup verify')
    },
  },
  {
    title: 'The primary loses its power',
    play: async (commands) => {
      const { estate } = commands
      await estate.machine('db1').powerCut()
      const { stdout } = await say(commands, 'cluster status --check', 8)
      assert.match(stdout, /no-primary/)
      await estate.sql('db2', 'select pg_promote()')
      tell('    (an engineer has promoted db2; no configuration was touched)')
      // One machine does not answer, so the exit code is not 0.
      const { stdout: after } = await say(commands, 'cluster status', 7)
      assert.match(after, /^ *db2 +primary/m)
    },
  },
  {
    title: 'The data of the plants are still there: the first backup, drilled once more',
    play: async (commands) => {
      const { backups } = (await commands.json(['backup', 'list'])) as unknown as {
        backups: { label: string }[]
      }
      await say(commands, `backup drill --label ${backups[0]?.label}`)
      await say(commands, 'trail verify')
    },
  },
]

async function main(): Promise<void> {
  assert.ok(
    canRunEstate(),
    'this takes root, and the packages that scripts/prepare-machine.sh installs',
  )
  const commands = await EstateCommands.up()
  try {
    await commands.addAll()
    for (const name of DATABASES) {
      await commands.add(name, '--location', 'hall-1', '--replace', ...snapshotFlags())
      await prepare(commands, name)
    }
    await playStory(story, commands)
  } finally {
    await commands.down()
    await stopSharedCluster()
  }
}

await main()
