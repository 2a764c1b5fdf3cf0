import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCli, type CliResult } from './cli.js'

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url))

/** Runs before the program: writes down what `import` loads and, at the end, what `require` did. */
const RECORDER = `
import Module, { register } from 'node:module'
import { appendFileSync } from 'node:fs'
register('data:text/javascript,' + encodeURIComponent(\`
import { appendFileSync } from 'node:fs'
export async function load(url, context, next) {
  appendFileSync(process.env.LOADED_FILES, url + '\\\\n')
  return next(url, context)
}\`))
process.on('exit', () => {
  for (const path of Object.keys(Module._cache)) appendFileSync(process.env.LOADED_FILES, path + '\\n')
})`

/**
 * Runs the built program and tells which npm packages it loaded, whether bundled into dist/ or from
 * node_modules.
 */
export async function packagesLoadedBy(
  args: readonly string[],
): Promise<{ result: CliResult; packages: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'cctl-loads-'))
  const record = join(folder, 'record')
  writeFileSync(record, '')
  const preload = `data:text/javascript,${encodeURIComponent(RECORDER)}`
  const result = await runCli(args, {
    env: { LOADED_FILES: record, NODE_OPTIONS: `--import=${preload}` },
  })
  const files = readFileSync(record, 'utf8').trim().split('\n')
  rmSync(folder, { recursive: true })
  const bundled = JSON.parse(readFileSync(join(DIST, 'packages.json'), 'utf8')) as Record<
    string,
    string[]
  >
  const paths = files.flatMap((file) => {
    const path = file.startsWith('file:') ? fileURLToPath(file) : file
    return path.startsWith(DIST) ? (bundled[path.slice(DIST.length)] ?? []) : [path]
  })
  const names = paths.map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1])
  return { result, packages: [...new Set(names.filter((name) => name !== undefined))].sort() }
}
