/** `npm run bench [-- --write]`: measures everything and, with --write, puts the report into docs/benchmarks.md. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measureAdoption } from './adoption.js'
import { measureAudit } from './audit.js'
import { measureBulkImport } from './bulk-import.js'
import { measureEmbedded } from './embedded.js'
import { measureEstate } from './estate.js'
import { measureGate, measureWorkers } from './gate.js'
import { describeMachine, type Chapter } from './measure.js'
import { measureMillion } from './million.js'
import { preparePlant } from './plant.js'
import { measureRevocation } from './revocation.js'
import { measureFlight, measureRotation } from './rotation.js'
import { measureRouters } from './routers.js'
import { measureScan } from './scan.js'
import { measureSessions } from './sessions.js'
import { measureStartUp } from './start-up.js'
import { startCluster } from './throwaway-cluster.js'

const root = join(import.meta.dirname, '..')
const program = [process.execPath, join(root, 'bin', 'run.js')]
const only = process.argv.slice(2).filter((word) => !word.startsWith('--'))
/** Chapters that need routers of the tests. */
const ROUTERS = ['routers', 'rotation', 'flight']
/** Chapters that need a server of their own. */
const ON_CLUSTER = ['import', ...ROUTERS, 'gate', 'workers', 'revocation', 'adoption', 'million']
/** Those of them that need no plant with a gate. */
const WITHOUT_PLANT = ['import', ...ROUTERS]
const wanted = (name: string) => only.length === 0 || only.includes(name)

const directory = mkdtempSync(join(tmpdir(), 'cleverctl-bench-run-'))
const chapters: Chapter[] = []
const tell = (chapter: Chapter) => {
  chapters.push(chapter)
  process.stdout.write(`${render(chapter)}\n`)
}

try {
  if (wanted('start-up')) tell(await measureStartUp(program))
  if (wanted('embedded')) tell(await measureEmbedded(program))
  if (wanted('scan')) tell(measureScan(program, root))
  if (wanted('sessions')) tell(await measureSessions(program))
  if (wanted('audit')) tell(await measureAudit(program))
  if (wanted('estate')) tell(await measureEstate())
  if (ON_CLUSTER.some(wanted)) await onCluster()
} finally {
  rmSync(directory, { recursive: true, force: true })
}
if (process.argv.includes('--write')) writeFileSync(join(root, 'docs', 'benchmarks.md'), report())
const missed = chapters
  .flatMap((chapter) => chapter.figures)
  .filter((figure) => figure.bar?.reached === false)
process.stdout.write(missed.length === 0 ? 'every bar reached\n' : `${missed.length} bars missed\n`)

async function onCluster(): Promise<void> {
  const cluster = startCluster()
  try {
    if (wanted('import')) tell(await measureBulkImport(program, cluster))
    if (wanted('routers')) tell(await measureRouters(program, cluster, directory))
    if (wanted('rotation')) tell(await measureRotation(program, cluster, directory))
    if (wanted('flight')) tell(await measureFlight(program, cluster, directory))
    if (!ON_CLUSTER.some((name) => !WITHOUT_PLANT.includes(name) && wanted(name))) return
    const plant = preparePlant(program, cluster, directory)
    if (wanted('gate')) tell(await measureGate(program, plant, directory))
    if (wanted('workers')) tell(await measureWorkers(program, plant, directory))
    if (wanted('revocation')) tell(await measureRevocation(program, plant, cluster))
    if (wanted('adoption')) tell(await measureAdoption(program, cluster, directory))
    // Last: it fills the plant's database.
    if (wanted('million')) tell(await measureMillion(program, plant, cluster))
  } finally {
    cluster.stop()
  }
}

function render(chapter: Chapter): string {
  const rows = chapter.figures.map((figure) => {
    const bar = figure.bar
      ? `${figure.bar.text}: ${figure.bar.reached ? 'reached' : '**missed**'}`
      : ''
    return `| ${figure.what} | ${figure.figure} | ${figure.baseline ?? ''} | ${figure.ratio === undefined ? '' : `${figure.ratio.toFixed(2)}×`} | ${bar} |`
  })
  return [
    `## ${chapter.title}`,
    '',
    chapter.method,
    '',
    '| what | figure | baseline of the same run | ratio | bar |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function report(): string {
  return [
    '# Benchmarks',
    '',
    'One run of `npm run bench -- --write`. Ratios are against the baseline measured in the same run; absolute figures belong to the machine.',
    '',
    `Machine: ${describeMachine()}. Date: ${new Date().toISOString().slice(0, 10)}.`,
    '',
    ...chapters.map(render),
  ].join('\n')
}
