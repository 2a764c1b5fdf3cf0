import { spawn } from 'node:child_process'

/** Longer than any step of an estate takes on a busy machine; without an end a hanging one hangs the run. */
const LONGEST_MS = 600_000

/**
 * Runs a program to its end.
 * @returns its stdout; rejects with its stderr when it fails
 */
export async function call(
  program: string,
  words: readonly string[],
  input: string | Buffer = '',
): Promise<string> {
  const child = spawn(program, words, { stdio: 'pipe', timeout: LONGEST_MS })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(said.stdout)
      else {
        const line = `${program} ${words.join(' ').slice(0, 300)}`
        reject(new Error(`${line} ended with ${code ?? signal}: ${said.stderr}${said.stdout}`))
      }
    })
  })
}
