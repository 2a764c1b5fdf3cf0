import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../../src/lib/database/database.js'
import type { Machine } from './machine.js'

/** A step of a command at which it stands still, so that it can be killed exactly there. */
export interface Halt {
  /** Resolves once something stands there. */
  reached(): Promise<void>
  /** Lets it go on. */
  release(): Promise<void>
}

const EVERY_MS = 50
const SAYS = '/tmp/halt'

/**
 * Lets a program of a machine stand still where it is called with `word` among its arguments.
 * @param folder where programs are looked for before the one of the system
 */
export async function haltProgram(
  machine: Machine,
  program: { path: string; folder: string },
  word: string,
): Promise<Halt> {
  const { path, folder } = program
  const name = path.slice(path.lastIndexOf('/') + 1)
  // Where nobody looks elsewhere first, it takes the place of the program.
  const isInPlace = path.startsWith(`${folder}/`)
  const real = isInPlace ? `${path}.real` : path
  if (isInPlace) await machine.script(`[ -e ${real} ] || mv ${path} ${real}`)
  const wrapper = `#!/bin/sh
if [ -e ${SAYS} ]; then
  case "$*" in *"$(cat ${SAYS})"*)
    : >${SAYS}.reached
    while [ -e ${SAYS} ]; do sleep 0.05; done ;;
  esac
fi
exec ${real} "$@"
`
  await machine.write(`${folder}/${name}`, wrapper, 'root', '755')
  await machine.write(SAYS, word)
  return {
    reached: async () => {
      await machine.script(`until [ -e ${SAYS}.reached ]; do sleep 0.05; done`)
    },
    release: async () => {
      await machine.script(`rm -f ${SAYS} ${SAYS}.reached`)
    },
  }
}

/** Lets the next entry of the trail stand still before it is written. */
export async function haltTrail(database: Database): Promise<Halt> {
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  let done: Promise<unknown> = Promise.resolve()
  await new Promise<void>((resolve, reject) => {
    done = database.transaction(async (transaction) => {
      await transaction.query('select from cleverctl.trail_head for update')
      resolve()
      await released
    })
    done.catch(reject)
  })
  return {
    reached: () => until(database, `wait_event_type = 'Lock'`),
    release: async () => {
      release()
      await done
    },
  }
}

/** The next entry of the trail after a command has come to `first`. */
export function haltTrailAfter(first: Halt, database: Database): Halt {
  let second: Halt | undefined
  return {
    reached: async () => {
      await first.reached()
      second = await haltTrail(database)
      await first.release()
      await second.reached()
    },
    release: async () => {
      await second?.release()
    },
  }
}

async function until(database: Database, condition: string): Promise<void> {
  const question = `select 1 from pg_stat_activity where datname = current_database() and ${condition}`
  while ((await database.query(question)).rows.length === 0) await sleep(EVERY_MS)
}
