import type { Duplex } from 'node:stream'
import type { Client, ClientChannel } from 'ssh2'
import { FailureError, UnreachableError } from '../errors.js'
import { connect, probeHostKey, type Hop } from './connect.js'
import { hostKeyChanged, nameOf, timedOut } from './failure.js'
import type { SeenHostKey } from './host-key.js'
import type { ScriptResult, SshAddress, SshHost, SshLimits } from './types.js'

/** What a script may use up. */
export interface ScriptLimits {
  /** Bytes for its stdin, which then ends; secrets belong here, never into the script. */
  stdin?: Buffer
  /** How long it may take. */
  timeoutMs?: number
  /** How much it may write, stdout and stderr each, in bytes. */
  maxOutputBytes?: number
  /**
   * Is given what it writes to stdout as it comes; it then may be of any length and is not kept. No more comes until a
   * promise that it gives is kept; what it throws, the run throws.
   */
  onStdout?: (chunk: Buffer) => Promise<void> | void
}

const SCRIPT_TIMEOUT_MS = 60_000
/** Far more than any state of a router; what writes more is no router. */
const MAX_OUTPUT_BYTES = 1024 * 1024

/** How long a host may take to answer a goodbye. */
const GOODBYE_MS = 1000

/** An open, logged-in connection to a host. Close it when done. */
export class SshSession {
  readonly #hops: readonly Hop[]
  readonly #host: SshHost
  readonly #signal: AbortSignal
  #isLost = false

  constructor(hops: readonly Hop[], host: SshHost, signal: AbortSignal) {
    this.#hops = hops
    this.#host = host
    this.#signal = signal
    this.#client.once('close', () => (this.#isLost = true))
  }

  /**
   * Runs a script by the host's shell. The script is seen in the host's list of processes: a secret
   * goes to its stdin. No terminal is asked for, because one echoes and alters bytes.
   * @throws UnreachableError when the connection is lost or the time is over: what the script did is
   *   then unknown; FailureError when it writes too much
   */
  async run(script: string, limits: ScriptLimits = {}): Promise<ScriptResult> {
    this.#signal.throwIfAborted()
    if (this.#isLost) throw this.#lost()
    const { timeoutMs = SCRIPT_TIMEOUT_MS, maxOutputBytes = MAX_OUTPUT_BYTES, onStdout } = limits
    let timer: NodeJS.Timeout | undefined
    let channel: ClientChannel | undefined
    let forget: (() => void) | undefined
    try {
      return await new Promise<ScriptResult>((resolve, reject) => {
        const abort = () => reject(this.#signal.reason as Error)
        const lose = () => reject(this.#lost())
        this.#signal.addEventListener('abort', abort, { once: true })
        this.#client.once('close', lose)
        forget = () => {
          this.#signal.removeEventListener('abort', abort)
          this.#client.removeListener('close', lose)
        }
        timer = setTimeout(() => reject(timedOut(this.#host)), timeoutMs)
        this.#client.exec(script, (error, opened) => {
          if (error) {
            reject(this.#lost())
            return
          }
          channel = opened
          const name = nameOf(this.#host)
          collect(opened, { maxOutputBytes, name, onStdout }).then(resolve, reject)
          // The script may end without having read it all.
          opened.on('error', () => undefined)
          opened.end(limits.stdin)
        })
      })
    } finally {
      clearTimeout(timer)
      forget?.()
      // What arrived meanwhile is not wanted any more: whoever reads on has asked for it anew by then.
      channel?.removeAllListeners('data')
      channel?.close()
    }
  }

  /**
   * A connection to a unix socket of the host, made there by the user that is logged in.
   * @throws FailureError where the host refuses it, UnreachableError when the connection is lost
   */
  async openUnixSocket(path: string): Promise<Duplex> {
    this.#signal.throwIfAborted()
    if (this.#isLost) throw this.#lost()
    return new Promise((resolve, reject) => {
      const lose = () => reject(this.#lost())
      this.#client.once('close', lose)
      this.#client.openssh_forwardOutStreamLocal(path, (error, channel) => {
        this.#client.removeListener('close', lose)
        if (error) reject(socketRefused(nameOf(this.#host), path))
        else resolve(channel)
      })
    })
  }

  /** Ends the connection, and those to the jump hosts. */
  close(): void {
    hangUp(this.#hops)
  }

  get #client(): Client {
    return (this.#hops[this.#hops.length - 1] as Hop).client
  }

  #lost(): UnreachableError {
    return new UnreachableError('ssh-lost', `the connection to ${nameOf(this.#host)} was lost`)
  }
}

function socketRefused(host: string, path: string): FailureError {
  return new FailureError('ssh-socket-refused', `${host} makes no connection to ${path}`, {
    suggestions: [
      'sshd there needs AllowStreamLocalForwarding, and the key no restriction of forwarding',
    ],
  })
}

async function collect(
  channel: ClientChannel,
  given: { maxOutputBytes: number; name: string; onStdout: ScriptLimits['onStdout'] },
): Promise<ScriptResult> {
  const { maxOutputBytes, name, onStdout } = given
  return new Promise((resolve, reject) => {
    const read = (stream: NodeJS.ReadableStream): (() => Buffer) => {
      const chunks: Buffer[] = []
      let size = 0
      stream.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= maxOutputBytes) chunks.push(chunk)
        else reject(new FailureError('ssh-output-too-long', `${name} writes without an end`))
      })
      return () => Buffer.concat(chunks)
    }
    if (onStdout) {
      channel.on('data', (chunk: Buffer) => {
        channel.pause()
        void Promise.resolve(chunk)
          .then(onStdout)
          .then(() => channel.resume(), reject)
      })
    }
    const stdout = onStdout ? () => Buffer.alloc(0) : read(channel)
    const stderr = read(channel.stderr)
    let end: { code: number | null; signal: string | null } | undefined
    channel.on('exit', (code: number | null, signal?: string) => {
      end = { code, signal: signal ?? null }
    })
    channel.on('close', () => {
      if (end) resolve({ stdout: stdout(), stderr: stderr(), ...end })
      else reject(new UnreachableError('ssh-lost', `${name} did not say how the script ended`))
    })
  })
}

/**
 * Connects to a host and logs in, through jump hosts where there are any; each proves its pinned key
 * before anything is sent to it.
 * @throws what `connect` throws, for the hop that failed
 */
export async function openSession(
  host: SshHost,
  jumps: readonly SshHost[],
  limits: SshLimits,
): Promise<SshSession> {
  const hops = await openHops([...jumps, host], limits)
  return new SshSession(hops, host, limits.signal)
}

/**
 * The host key that a host shows, seen through the jump hosts. See {@link probeHostKey}.
 */
export async function seeHostKey(
  host: SshAddress,
  jumps: readonly SshHost[],
  limits: SshLimits & { accepts(seen: SeenHostKey): boolean },
): Promise<SeenHostKey> {
  const hops = await openHops(jumps, limits)
  try {
    return await probeHostKey(host, hops.at(-1)?.client, limits)
  } finally {
    hangUp(hops)
  }
}

/** Ends connections, the last hop first. Where nobody answers any more, TCP would go on saying goodbye for minutes. */
function hangUp(hops: readonly Hop[]): void {
  for (const { client, socket } of [...hops].reverse()) {
    client.end()
    // Not the client's own `destroy`, which leaves a connection alone that has said goodbye.
    setTimeout(() => socket.destroy(), GOODBYE_MS).unref()
  }
}

async function openHops(hops: readonly SshHost[], limits: SshLimits): Promise<Hop[]> {
  const open: Hop[] = []
  try {
    for (const hop of hops) open.push(await openHop(hop, open.at(-1)?.client, limits))
    return open
  } catch (error) {
    hangUp(open)
    throw error
  }
}

/** A host that has no key of the pinned type any more has changed its key as well. */
async function openHop(hop: SshHost, through: Client | undefined, limits: SshLimits): Promise<Hop> {
  try {
    return await connect(hop, through, limits)
  } catch (error) {
    if (!(error instanceof FailureError && error.code === 'ssh-no-agreement')) throw error
    const accepts = () => true
    const seen = await probeHostKey(hop, through, { ...limits, accepts }).catch(() => undefined)
    throw seen === undefined || seen.type === hop.hostKey.type ? error : hostKeyChanged(hop, seen)
  }
}
