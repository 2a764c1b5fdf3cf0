import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Client } from 'ssh2'
import { timedOut, unreachable } from './failure.js'
import type { SshAddress, SshLimits } from './types.js'

/** A connection to a host's port, direct or through an open connection to a jump host. */
export async function openSocket(
  host: SshAddress,
  through: Client | undefined,
  limits: Required<SshLimits>,
): Promise<Duplex> {
  return through === undefined ? tcpSocket(host, limits) : forwarded(host, through, limits)
}

async function tcpSocket(
  host: SshAddress,
  { signal, connectTimeoutMs }: Required<SshLimits>,
): Promise<Duplex> {
  signal.throwIfAborted()
  // With Nagle's algorithm every step of the handshake waits for an acknowledgement: five times slower.
  const socket = connectTcp({ host: host.address, port: host.port, noDelay: true })
  return raceEvents<Duplex>(signal, connectTimeoutMs, host, {
    start: (resolve, reject) => {
      socket.once('connect', () => resolve(socket))
      socket.on('error', (error: NodeJS.ErrnoException) => reject(unreachable(host, error.code)))
    },
    giveUp: () => socket.destroy(),
  })
}

async function forwarded(
  host: SshAddress,
  through: Client,
  { signal, connectTimeoutMs }: Required<SshLimits>,
): Promise<Duplex> {
  return raceEvents<Duplex>(signal, connectTimeoutMs, host, {
    start: (resolve, reject) =>
      through.forwardOut('127.0.0.1', 0, host.address, host.port, (error, channel) =>
        error ? reject(unreachable(host, 'refused by the jump host')) : resolve(channel),
      ),
    giveUp: () => undefined,
  })
}

/** Waits for one of two events, but not beyond the deadline or the abort. */
async function raceEvents<Result>(
  signal: AbortSignal,
  timeoutMs: number,
  host: SshAddress,
  given: {
    start(resolve: (result: Result) => void, reject: (error: Error) => void): void
    giveUp(): void
  },
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  let abort: (() => void) | undefined
  try {
    return await new Promise<Result>((resolve, reject) => {
      abort = () => reject(signal.reason as Error)
      signal.addEventListener('abort', abort, { once: true })
      timer = setTimeout(() => reject(timedOut(host)), timeoutMs)
      given.start(resolve, reject)
    })
  } catch (error) {
    given.giveUp()
    throw error
  } finally {
    clearTimeout(timer)
    if (abort) signal.removeEventListener('abort', abort)
  }
}
