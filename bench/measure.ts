import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'

/** A line of the report: what was measured, the figure, the baseline of the same run, and the bar. */
export interface Figure {
  what: string
  figure: string
  baseline?: string
  ratio?: number
  /** The bar and whether this run reached it. */
  bar?: { text: string; reached: boolean }
}

/** One chapter of the report. */
export interface Chapter {
  title: string
  /** How it was measured, in a sentence or two. */
  method: string
  figures: Figure[]
}

/** Middle value of a list; NaN for an empty one. */
export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** The value below which `percent` of the list lie (nearest rank); NaN for an empty one. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}

/** A ratio with its bar, `atMost` or `atLeast`. */
export function ratioFigure(
  what: string,
  measured: { figure: string; baseline: string; ratio: number },
  bar: { atMost: number } | { atLeast: number },
): Figure {
  const reached = 'atMost' in bar ? measured.ratio <= bar.atMost : measured.ratio >= bar.atLeast
  const text = 'atMost' in bar ? `at most ${bar.atMost}×` : `at least ${bar.atLeast}×`
  return { what, ...measured, bar: { text, reached } }
}

/**
 * The environment for measured programs: Node 20 parses the bundle of NODE_EXTRA_CA_CERTS at every
 * start, which would be measured instead of the program.
 */
export function quietEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _certificates, NODE_OPTIONS: _options, ...rest } = process.env
  return { ...rest, ...extra }
}

/** Runs a program to its end; throws with its stderr when it fails. Gives stdout and wall time in ms. */
export function runOnce(
  command: readonly string[],
  options: { env?: NodeJS.ProcessEnv; input?: string; uid?: number; gid?: number } = {},
): { stdout: string; ms: number } {
  const [program = '', ...args] = command
  const start = performance.now()
  const done = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: options.env ?? quietEnvironment(),
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid }),
  })
  const ms = performance.now() - start
  if (done.error) throw done.error
  if (done.status !== 0) {
    throw new Error(`${command.join(' ')} ended with ${done.status ?? done.signal}: ${done.stderr}`)
  }
  return { stdout: done.stdout, ms }
}

/** The same for a program of Node.js, with the most memory that it ever held. */
export function runWithPeak(
  command: readonly string[],
  options: { env?: NodeJS.ProcessEnv } = {},
): { stdout: string; ms: number; peakMiB: number } {
  const folder = mkdtempSync(join(tmpdir(), 'cleverctl-bench-peak-'))
  try {
    const [peakFile, hook] = [join(folder, 'peak'), join(folder, 'peak.mjs')]
    writeFileSync(
      hook,
      `import { writeFileSync } from 'node:fs'\nprocess.on('exit', () => writeFileSync(${JSON.stringify(peakFile)}, String(process.resourceUsage().maxRSS)))\n`,
    )
    const [node = process.execPath, ...rest] = command
    const done = runOnce([node, '--import', hook, ...rest], options)
    return { ...done, peakMiB: Number(readFileSync(peakFile, 'utf8')) / 1024 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Runs a program to its end as {@link runOnce} does, without blocking this process. */
export async function runAside(
  command: readonly string[],
  options: { env?: NodeJS.ProcessEnv; uid?: number; gid?: number } = {},
): Promise<{ code: number; stdout: string; stderr: string; ms: number }> {
  const [program = '', ...args] = command
  const start = performance.now()
  const child = spawn(program, args, {
    env: options.env ?? quietEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid }),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve(status ?? 1))
  })
  return { code, stdout, stderr, ms: performance.now() - start }
}

/** Which machine the figures belong to. */
export function describeMachine(): string {
  const cores = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  const system = /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? ''
  return `${cores.length} cores (${cores[0]?.model ?? 'unknown'}), ${memory} GiB, ${system}, Node ${process.version}`
}
