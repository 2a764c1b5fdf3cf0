import { fileURLToPath, pathToFileURL } from 'node:url'

// A process that runs the built program's command lines one after the other, because a process for
// each would take a hundred times as long. It is started by `CommandWorker`.

/** A command line to run. */
export interface Order {
  words: string[]
  env: Record<string, string>
}

/** How it came out. */
export interface Report {
  code: number
  stdout: string
  stderr: string
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const { main } = (await import(pathToFileURL(`${ROOT}dist/main.js`).href)) as {
  main(words: string[], root: URL): Promise<void>
}
const written = { stdout: '', stderr: '' }
for (const name of ['stdout', 'stderr'] as const) {
  process[name].write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    written[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')
    const done = rest.find((each) => typeof each === 'function') as (() => void) | undefined
    done?.()
    return true
  }
}

process.on('message', ({ words, env }: Order) => void run(words, env))

async function run(words: string[], env: Record<string, string>): Promise<void> {
  Object.assign(written, { stdout: '', stderr: '' })
  Object.assign(process.env, env)
  process.exitCode = undefined
  await main(words, pathToFileURL(ROOT))
  const report: Report = { code: Number(process.exitCode ?? 0), ...written }
  for (const name of Object.keys(env)) delete process.env[name]
  // The program adds them at every start, and expects to start once.
  process.removeAllListeners('uncaughtException')
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error')
  process.send?.(report)
}
