import { spawn, type ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { FailureError } from '../errors.js'
import type { Secret } from '../secret.js'
import type { Sink, SinkSurroundings } from './types.js'

/** A command that talks to a store of secrets over a network has answered by then. */
const TIMEOUT_MS = 60_000
/** How long a killed command's last words are waited for. */
const DRAIN_MS = 200
/** Of a command's output not more than that is kept, for --verbose. */
const MAX_OUTPUT = 64 * 1024

/**
 * A command that is given the key on its stdin, without a newline, and confirms by ending with 0. The key
 * is in neither its arguments nor its environment. What it says is for --verbose, the key taken out.
 * @param command for `sh -c`
 * @param timeoutMs then the command and its children are killed
 */
export function execSink(command: string, timeoutMs = TIMEOUT_MS): Sink {
  return {
    name: 'exec',
    canPutBack: false,
    check: async () => undefined,
    deliver: async (secret, surroundings) => {
      await run(command, secret, timeoutMs, surroundings)
      return { putBack: async () => undefined }
    },
  }
}

async function run(
  command: string,
  secret: Secret,
  timeoutMs: number,
  { log, signal }: SinkSurroundings,
): Promise<void> {
  signal.throwIfAborted()
  // A group of its own, so that what the command has started ends with it.
  const child = spawn('sh', ['-c', command], { stdio: 'pipe', detached: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < MAX_OUTPUT) output += text
    })
  }
  // A command that has ended need not have read it all.
  child.stdin.on('error', () => undefined)
  child.stdin.end(secret.reveal())
  const kill = () => killGroup(child)
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    kill()
  }, timeoutMs)
  signal.addEventListener('abort', kill, { once: true })
  try {
    const end = await ended(child)
    await Promise.race([closed(child), sleep(DRAIN_MS, undefined, { ref: false })])
    for (const line of output.replaceAll(secret.reveal(), '[secret]').split('\n'))
      if (line !== '') log.debug(`exec: ${line}`)
    signal.throwIfAborted()
    if (end !== 'ended with 0') throw notConfirmed(isLate ? `took over ${timeoutMs / 1000} s` : end)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', kill)
    child.stdout.destroy()
    child.stderr.destroy()
  }
}

async function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', () => resolve('could not be started'))
    child.on('exit', (code, signal) => resolve(`ended with ${code ?? signal}`))
  })
}

async function closed(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve) => child.once('close', () => resolve()))
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

function notConfirmed(end: string): FailureError {
  return new FailureError('sink-failed', `exec: the command ${end}; what it did cannot be undone`, {
    suggestions: ['--verbose shows what it said'],
  })
}
