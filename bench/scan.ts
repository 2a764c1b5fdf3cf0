import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateApiKey } from '../src/lib/api-key/format.js'
import { systemRandom } from '../src/lib/clock.js'
import { median, quietEnvironment, type Chapter, type Figure } from './measure.js'

const FILES = 20_000
const FILES_IN_FOLDER = 50
/** Between 5 and 45 kB, 25 kB on average: 500 MB in all. */
const LEAST_BYTES = 5000
const MORE_BYTES = 40_000
const LEAKS = 10
const COMMITS = 200
const ROUNDS = 5
const PATTERN =
  'clv_(live|test)_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}|clvd_[0-9A-Za-z_-]{43}_[0-9A-Za-z]{6}'

/**
 * `api-key scan --offline` of a tree of sources against `grep -r` of the same pattern, taken in turns; and
 * of a history against git giving out all its objects to grep.
 */
export function measureScan(program: readonly string[], root: string): Chapter {
  const directory = mkdtempSync(join(tmpdir(), 'cleverctl-bench-scan-'))
  try {
    const tree = join(directory, 'tree')
    const { bytes } = plantTree(tree, sources(root))
    const history = join(directory, 'history')
    plantHistory(history, sources(root))
    const empty = join(directory, 'empty')
    mkdirSync(empty)
    const env = quietEnvironment({ CLEVERCTL_HOME: join(directory, 'home') })
    const scan = (...words: string[]) =>
      timed([...program, 'api-key', 'scan', ...words, '--offline', '--json'], env)
    const pattern = `'${PATTERN}'`
    const figures = [
      compare(
        `${FILES.toLocaleString('en')} files, ${(bytes / 1e6).toFixed(0)} MB`,
        () => scan(tree),
        [
          '`grep -r -a -E`',
          () => timed(['grep', '-r', '-a', '-E', '-o', '-b', PATTERN, tree], env),
        ],
      ),
      compare(`\`--git\`, ${COMMITS} commits`, () => scan(history, '--git'), [
        '`git cat-file --batch-all-objects --batch \\| grep -a -E`',
        () => {
          const line = `git -C ${history} cat-file --batch-all-objects --unordered --buffer --batch | grep -a -c -E ${pattern}`
          return timed(['sh', '-c', line], env)
        },
      ]),
      compare('an empty folder (start-up)', () => scan(empty), [
        '`grep -r`',
        () => timed(['grep', '-r', PATTERN, empty], env),
      ]),
    ]
    return {
      title: 'Scanning for leaks',
      method: `Median wall time of ${ROUNDS} rounds taken in turns, files in the page cache; text of this repository, ${LEAKS} keys in each.`,
      figures,
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function compare(
  what: string,
  measure: () => number,
  [name, baseline]: readonly [string, () => number],
): Figure {
  const [own, other]: [number[], number[]] = [[], []]
  for (let round = 0; round <= ROUNDS; round += 1) {
    const [one, two] = [measure(), baseline()]
    // The first round fills the page cache.
    if (round === 0) continue
    own.push(one)
    other.push(two)
  }
  const seconds = (values: number[]) => `${(median(values) / 1000).toFixed(2)} s`
  return {
    what,
    figure: seconds(own),
    baseline: `${name} ${seconds(other)}`,
    ratio: median(own) / median(other),
  }
}

/** Wall time in ms; both programs say by exit codes that they found something or nothing. */
function timed(command: readonly string[], env: NodeJS.ProcessEnv): number {
  const [program = '', ...words] = command
  const start = performance.now()
  try {
    execFileSync(program, words, { env, stdio: ['ignore', 'ignore', 'ignore'] })
  } catch (error) {
    const { status } = error as { status: number | null }
    if (status !== 1 && status !== 8) throw error
  }
  return performance.now() - start
}

/** All of our own sources in one text, for contents as repositories have them. */
function sources(root: string): Buffer {
  const folder = join(root, 'src')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return Buffer.concat(
    files.filter((file) => file.endsWith('.ts')).map((file) => readFileSync(join(folder, file))),
  )
}

function piece(text: Buffer, number: number): Buffer {
  const length = LEAST_BYTES + ((number * 7919) % MORE_BYTES)
  const start = (number * 104_729) % (text.length - length)
  return text.subarray(start, start + length)
}

function leak(): string {
  return `\nkey=${generateApiKey(systemRandom).apiKey.reveal()}\n`
}

function plantTree(folder: string, text: Buffer): { bytes: number } {
  let bytes = 0
  for (let number = 0; number < FILES; number += 1) {
    const place = join(folder, `part-${Math.floor(number / FILES_IN_FOLDER)}`)
    if (number % FILES_IN_FOLDER === 0) mkdirSync(place, { recursive: true })
    const content = piece(text, number)
    const isLeak = number % (FILES / LEAKS) === 0
    writeFileSync(
      join(place, `file-${number}.ts`),
      isLeak ? Buffer.concat([content, Buffer.from(leak())]) : content,
    )
    bytes += content.length
  }
  return { bytes }
}

function plantHistory(folder: string, text: Buffer): void {
  mkdirSync(folder)
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...words], {
      cwd: folder,
      stdio: 'ignore',
    })
  git('init', '--quiet')
  for (let commit = 0; commit < COMMITS; commit += 1) {
    for (let file = 0; file < 10; file += 1)
      writeFileSync(join(folder, `file-${file}.ts`), piece(text, commit * 10 + file))
    if (commit % (COMMITS / LEAKS) === 0) writeFileSync(join(folder, 'file-0.ts'), leak())
    git('add', '--all')
    git('commit', '--quiet', '--message', `commit ${commit}`)
  }
  git('gc', '--quiet')
}
