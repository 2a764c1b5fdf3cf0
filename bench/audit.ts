import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inFreshHome, type FreshHome } from './home.js'
import { median, runAside, runOnce, type Chapter } from './measure.js'
import { startCluster, type Cluster } from './throwaway-cluster.js'

const SERVERS = 3
const ROUNDS = 9
/** Of each server. */
const [ROLES, RULES, DATABASES, TABLES] = [100, 30, 3, 200]
/** What an audit of one server may take beside a connection to it, in ms. */
const MOST_MS = 1000
/** Of what nobody is on the list for, there are findings. */
const FOUND = 8

/** `access audit` of one server and of three at once, against a bare connection by psql. */
export async function measureAudit(program: readonly string[]): Promise<Chapter> {
  return inFreshHome(program, (home) => measureIn(home, program))
}

async function measureIn(
  { env, directory }: FreshHome,
  program: readonly string[],
): Promise<Chapter> {
  const clusters: Cluster[] = []
  try {
    runOnce([...program, 'init', '--json'], { env })
    importStaff(program, directory, env)
    for (let each = 0; each < SERVERS; each++) {
      const cluster = startCluster()
      clusters.push(cluster)
      furnish(cluster)
    }
    const audit = async (servers: readonly Cluster[]) => {
      const dsns = servers.flatMap((cluster) => ['--dsn', cluster.url('postgres')])
      const done = await runAside([...program, 'access', 'audit', ...dsns, '--json'], { env })
      if (done.code !== FOUND) throw new Error(`access audit ended with ${done.code}`)
      return done.ms
    }
    const [bare, one, all]: [number[], number[], number[]] = [[], [], []]
    for (let round = 0; round < ROUNDS; round++) {
      const [first] = clusters as [Cluster]
      bare.push(connect(first))
      one.push(await audit([first]))
      all.push(await audit(clusters))
    }
    return chapterOf(median(bare), median(one), median(all))
  } finally {
    for (const cluster of clusters) cluster.stop()
  }
}

function chapterOf(bare: number, one: number, all: number): Chapter {
  const ms = (value: number) => `${value.toFixed(0)} ms`
  const baseline = `\`psql -c "select 1"\` ${ms(bare)}`
  return {
    title: 'Auditing who may reach the databases',
    method: `Process start included, by the unix socket; servers with ${ROLES} roles, ${RULES} rules in pg_hba.conf and ${DATABASES} databases of ${TABLES} tables; ${ROLES / 2} people on the list; median of ${ROUNDS} rounds taken in turns.`,
    figures: [
      {
        what: '`access audit` of one server',
        figure: ms(one),
        ...{ baseline, ratio: one / bare },
        bar: { text: 'at most 1 s more', reached: one - bare <= MOST_MS },
      },
      {
        what: `\`access audit\` of ${SERVERS} servers`,
        figure: ms(all),
        baseline: `of one ${ms(one)}`,
        ratio: all / one,
      },
    ],
  }
}

function importStaff(program: readonly string[], directory: string, env: NodeJS.ProcessEnv): void {
  const people = Array.from(
    { length: ROLES / 2 },
    (_, each) => `person-${each}@example.com,Person ${each},role_${each},10.77.${each}.0/24,`,
  )
  const file = join(directory, 'staff.csv')
  writeFileSync(file, ['email,name,roleNames,networks,until', ...people, ''].join('\n'))
  runOnce([...program, 'staff', 'import', file, '--json'], { env })
}

function furnish(cluster: Cluster): void {
  const numbers = (count: number) => Array.from({ length: count }, (_, each) => each)
  cluster.psql(
    'postgres',
    numbers(ROLES)
      .map((each) => `create role role_${each} login connection limit 5;`)
      .join('\n'),
  )
  for (const database of numbers(DATABASES)) {
    cluster.psql('postgres', `create database fleet_${database}`)
    const tables = numbers(TABLES).map(
      (each) => `create table reading_${each} (at timestamptz, energy_wh float8);
        grant select on reading_${each} to role_${each % ROLES};`,
    )
    cluster.psql(`fleet_${database}`, tables.join('\n'))
  }
  const rules = numbers(RULES).map(
    (each) => `hostssl fleet_${each % DATABASES} role_${each} 10.77.${each}.0/24 scram-sha-256`,
  )
  const file = join(cluster.socket, 'data', 'pg_hba.conf')
  writeFileSync(file, ['local all all trust', ...rules, ''].join('\n'))
  cluster.psql('postgres', 'select pg_reload_conf()')
}

function connect(cluster: Cluster): number {
  const words = ['-h', cluster.socket, '-U', 'bench', '-d', 'postgres', '-Atc', 'select 1']
  return runOnce([join(cluster.bin, 'psql'), ...words]).ms
}
