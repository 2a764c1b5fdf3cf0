import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Chapter } from './measure.js'
import { median, quietEnvironment, ratioFigure, runOnce, runWithPeak } from './measure.js'
import type { Cluster } from './throwaway-cluster.js'

const ROWS = 1_000_000
const ROUNDS = 3
const MEMORY_BAR_MIB = 200

/**
 * `device import` of a million rows with its secrets file against `psql \copy` of the finished rows
 * into the same table, taken in turns, each into an empty database made from one template.
 */
export async function measureBulkImport(
  program: readonly string[],
  cluster: Cluster,
): Promise<Chapter> {
  const directory = mkdtempSync(join(tmpdir(), 'cleverctl-bench-import-'))
  try {
    cluster.psql('postgres', 'create database bench_empty')
    runOnce([...program, 'database', 'migrate'], {
      env: environment(directory, cluster, 'bench_empty'),
    })
    const ascending = await measureOrder(program, cluster, directory, (row) => row)
    const shuffled = await measureOrder(program, cluster, directory, shuffledRow)
    const peak = Math.max(ascending.peakMiB, shuffled.peakMiB)
    return {
      title: 'Bulk registration',
      method: `${ROWS.toLocaleString('en')} rows, median of ${ROUNDS} rounds taken in turns, fsync on; the import makes each device's secret, writes the secrets file and the trail, the baseline copies rows that are ready, in the same order.`,
      figures: [
        ratioFigure('`device import` with `--secrets-out`', ascending, { atLeast: 0.6 }),
        ratioFigure('the same, serials shuffled', shuffled, { atLeast: 0.4 }),
        {
          what: 'its peak memory (maximum resident set)',
          figure: `${peak.toFixed(0)} MiB`,
          bar: { text: `under ${MEMORY_BAR_MIB} MiB`, reached: peak < MEMORY_BAR_MIB },
        },
      ],
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Imports and copies the same rows in turns. @param order the row that stands at a place of the file */
async function measureOrder(
  program: readonly string[],
  cluster: Cluster,
  directory: string,
  order: (place: number) => number,
) {
  const folder = mkdtempSync(join(directory, 'order-'))
  const factory = join(folder, 'factory.csv')
  await writeLines(
    factory,
    'serial,model,batch,manufacturedAt\n',
    (place) => `${serial(order(place))},CleverDx,B-2026-11,2026-11-02T00:00:00Z`,
  )
  const copyMs: number[] = []
  const importMs: number[] = []
  const peaks: number[] = []
  let finished: string | undefined
  for (let round = 0; round < ROUNDS; round += 1) {
    const imported = importOnce(program, cluster, folder, factory, round)
    importMs.push(imported.ms)
    peaks.push(imported.peakMiB)
    finished ??= await exportFinishedRows(cluster, folder, `bench_import_${round}`, order)
    cluster.psql('postgres', `drop database bench_import_${round}`)
    copyMs.push(copyOnce(cluster, finished, round))
  }
  const rate = (ms: number) => `${Math.round(ROWS / ms)}k rows/s`
  return {
    figure: rate(median(importMs)),
    baseline: `\`psql \\copy\` ${rate(median(copyMs))}`,
    ratio: median(copyMs) / median(importMs),
    peakMiB: Math.max(...peaks),
  }
}

/** A prime that does not divide the number of rows: every row is met once, far from the one before. */
const STRIDE = 618_041

function shuffledRow(place: number): number {
  return (place * STRIDE) % ROWS
}

function serial(row: number): string {
  return `CDX-${String(row).padStart(7, '0')}`
}

function environment(directory: string, cluster: Cluster, database: string): NodeJS.ProcessEnv {
  return quietEnvironment({
    CLEVERCTL_HOME: join(directory, 'home'),
    CLEVERCTL_DATABASE_URL: cluster.url(database),
  })
}

async function writeLines(
  path: string,
  header: string,
  line: (row: number) => string,
): Promise<void> {
  const file = createWriteStream(path)
  file.write(header)
  for (let row = 0; row < ROWS; row += 1) {
    if (!file.write(`${line(row)}\n`)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'finish')
}

function importOnce(
  program: readonly string[],
  cluster: Cluster,
  directory: string,
  factory: string,
  round: number,
): { ms: number; peakMiB: number } {
  const database = `bench_import_${round}`
  cluster.psql('postgres', `create database ${database} template bench_empty; checkpoint`)
  const { ms, peakMiB } = runWithPeak(
    [
      ...program,
      'device',
      'import',
      factory,
      '--secrets-out',
      join(directory, `secrets-${round}.csv`),
      '--json',
    ],
    { env: environment(directory, cluster, database) },
  )
  const count = cluster.psql(database, 'select count(*) from cleverctl.device')
  if (Number(count) !== ROWS) throw new Error(`the import registered ${count} of ${ROWS} devices`)
  return { ms, peakMiB }
}

/** The finished rows, in the order of the imported file, in a text file that \copy reads. */
async function exportFinishedRows(
  cluster: Cluster,
  directory: string,
  database: string,
  order: (place: number) => number,
): Promise<string> {
  const ascending = join(directory, 'ascending.txt')
  runOnce([
    join(cluster.bin, 'psql'),
    '-h',
    cluster.socket,
    '-U',
    'bench',
    '-d',
    database,
    '-qX',
    '-c',
    `\\copy (select ${COLUMNS} from cleverctl.device order by serial) to '${ascending}'`,
  ])
  const rows = readFileSync(ascending, 'utf8').split('\n')
  const file = join(directory, 'finished.txt')
  await writeLines(file, '', (place) => rows[order(place)] ?? '')
  return file
}

const COLUMNS = 'serial, model, batch, manufactured_at, secret_sha256'

function copyOnce(cluster: Cluster, file: string, round: number): number {
  const database = `bench_copy_${round}`
  cluster.psql('postgres', `create database ${database} template bench_empty; checkpoint`)
  const { ms } = runOnce([
    join(cluster.bin, 'psql'),
    '-h',
    cluster.socket,
    '-U',
    'bench',
    '-d',
    database,
    '-qX',
    '-c',
    `\\copy cleverctl.device (${COLUMNS}) from '${file}'`,
  ])
  cluster.psql('postgres', `drop database ${database}`)
  return ms
}
