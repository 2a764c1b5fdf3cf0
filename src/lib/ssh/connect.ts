import type { Duplex } from 'node:stream'
import type { Client } from 'ssh2'
import { RefusedError } from '../errors.js'
import { loadDriver } from './driver.js'
import { connectionFailure, nameOf, type Progress } from './failure.js'
import { algorithmsOf, hostKeyOf, type SeenHostKey } from './host-key.js'
import { attemptLogins } from './login.js'
import { openSocket } from './socket.js'
import { HOST_KEY_TYPES, type SshAddress, type SshHost, type SshLimits } from './types.js'

/** Radio links to plants are slow; a host that takes longer is not there. */
const CONNECT_TIMEOUT_MS = 20_000
/** A dead link shows after three of these without an answer: without them a command hangs for ever. */
const KEEPALIVE_MS = 10_000
const KEEPALIVE_MISSES = 3
/** What every dropbear and OpenSSH of the last ten years agrees to. */
const KEX = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  // Not diffie-hellman-group-exchange-*: ssh2 tests the group for primality, which stops the whole
  // process for two seconds a connection.
  'diffie-hellman-group14-sha256',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512',
] as const

/** A logged-in connection, and what it runs on. */
export interface Hop {
  client: Client
  socket: Duplex
}

/**
 * Connects and logs in.
 * @param through an open connection to a jump host
 * @throws ConflictError for another host key, RefusedError for a refused credential, UnreachableError
 *   for a host out of reach, FailureError for one that does not speak SSH as we do
 */
export async function connect(
  host: SshHost,
  through: Client | undefined,
  given: SshLimits,
): Promise<Hop> {
  const limits = withDefaults(given)
  // Loaded first: a host may hang up at once, and somebody must be listening then.
  const { Client: SshClient } = await loadDriver()
  const socket = await openSocket(host, through, limits)
  const client = new SshClient()
  const progress: Progress = { isHostProven: false, hasSpoken: false }
  const attempt = attemptLogins(host.username, host.logins)
  // A closed connection reports errors late; they have nobody to go to any more.
  client.on('error', () => undefined)
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown) => reject(connectionFailure(error, host, progress))
      const abort = () => reject(given.signal.reason as Error)
      given.signal.addEventListener('abort', abort, { once: true })
      client.on('handshake', () => (progress.isHostProven = true))
      client.on('error', fail)
      client.on('close', () => fail(undefined))
      client.on('ready', () => resolve())
      socket.once('data', () => (progress.hasSpoken = true))
      client.once('close', () => given.signal.removeEventListener('abort', abort))
      client.connect({
        sock: socket,
        username: host.username,
        readyTimeout: limits.connectTimeoutMs,
        keepaliveInterval: limits.keepaliveMs,
        keepaliveCountMax: KEEPALIVE_MISSES,
        algorithms: { kex: [...KEX], serverHostKey: [...algorithmsOf(host.hostKey.type)] },
        authHandler: attempt.handler,
        hostVerifier: (blob: Buffer) => {
          const seen = hostKeyOf(blob)
          const isPinned =
            seen.type === host.hostKey.type && seen.fingerprint === host.hostKey.fingerprint
          if (!isPinned) progress.deniedKey = seen
          return isPinned
        },
      })
    })
    if (!attempt.isOffered()) throw letsEverybodyIn(host)
    return { client, socket }
  } catch (error) {
    client.destroy()
    throw error
  }
}

function letsEverybodyIn(host: SshHost): RefusedError {
  return new RefusedError(
    'ssh-open-to-all',
    `${nameOf(host)} lets ${host.username} in without a credential, so none can be proven`,
    { suggestions: ['set a password on the host first'] },
  )
}

/**
 * The key that a host shows of each type in turn, until one is accepted. Nothing is sent to it that
 * could be abused: the connection ends before a login.
 * @param accepts whether it is the wanted one
 * @returns the accepted one, else the first that was shown
 * @throws UnreachableError, FailureError when no key of any type was shown
 */
export async function probeHostKey(
  host: SshAddress,
  through: Client | undefined,
  given: SshLimits & { accepts(seen: SeenHostKey): boolean },
): Promise<SeenHostKey> {
  let first: SeenHostKey | undefined
  let failure: unknown
  for (const type of HOST_KEY_TYPES) {
    given.signal.throwIfAborted()
    try {
      const seen = await probeType(host, through, { ...given, type })
      if (given.accepts(seen)) return seen
      first ??= seen
    } catch (error) {
      failure = error
      // Only a host that spoke and has no key of this type is worth another question.
      if (!(error instanceof NoSuchKey)) throw error
    }
  }
  if (first !== undefined) return first
  throw failure instanceof NoSuchKey ? failure.reason : failure
}

class NoSuchKey extends Error {
  readonly reason: Error
  constructor(reason: Error) {
    super('no host key of this type')
    this.reason = reason
  }
}

async function probeType(
  host: SshAddress,
  through: Client | undefined,
  given: SshLimits & { type: (typeof HOST_KEY_TYPES)[number] },
): Promise<SeenHostKey> {
  const limits = withDefaults(given)
  const { Client: SshClient } = await loadDriver()
  const socket = await openSocket(host, through, limits)
  const client = new SshClient()
  const progress: Progress = { isHostProven: false, hasSpoken: false }
  client.on('error', () => undefined)
  try {
    return await new Promise<SeenHostKey>((resolve, reject) => {
      const fail = (error: unknown) => {
        const told = connectionFailure(error, host, progress)
        reject(told.code === 'ssh-no-agreement' ? new NoSuchKey(told) : told)
      }
      client.on('error', fail)
      client.on('close', () => fail(undefined))
      socket.once('data', () => (progress.hasSpoken = true))
      client.connect({
        sock: socket,
        username: 'nobody',
        readyTimeout: limits.connectTimeoutMs,
        algorithms: { kex: [...KEX], serverHostKey: [...algorithmsOf(given.type)] },
        authHandler: [],
        hostVerifier: (blob: Buffer) => {
          resolve(hostKeyOf(blob))
          return false
        },
      })
    })
  } finally {
    client.destroy()
  }
}

function withDefaults(given: SshLimits): Required<SshLimits> {
  return { connectTimeoutMs: CONNECT_TIMEOUT_MS, keepaliveMs: KEEPALIVE_MS, ...given }
}
