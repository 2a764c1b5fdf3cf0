import { isIP } from 'node:net'
import { UsageError } from '../errors.js'
import { MAX_TOKEN_TTL_MS } from '../signing-key/types.js'
import type { GateOptions } from './gate.js'
import { parseLimits } from './limits.js'

/** Where the gate listens and how. */
export interface ServeOptions {
  address: string
  /** 0 takes a free one. */
  port: number
  /** Files of a certificate and its key. */
  tls: { cert: string; key: string } | undefined
  selfSigned: boolean
  insecureHttp: boolean
  workers: number
  metricsPort: number | undefined
  trustProxy: readonly string[]
  /** Changes to the usual limits, as {@link parseLimits} reads them; `none` lifts all of them. */
  limits: readonly string[] | 'none'
  /** Life of a device's token; undefined: the usual one. */
  tokenTtlMs: number | undefined
  logLevel: GateOptions['logLevel']
}

/**
 * Finds what is wrong with a command line before anything is started.
 * @throws UsageError
 */
export function checkServeOptions(options: ServeOptions): void {
  checkTransport(options)
  for (const network of options.trustProxy) checkNetwork(network)
  if (options.limits !== 'none') parseLimits(options.limits)
  checkTokenLife(options.tokenTtlMs)
}

function checkTransport({ address, tls, selfSigned, insecureHttp }: ServeOptions): void {
  const chosen = [tls !== undefined, selfSigned, insecureHttp].filter(Boolean).length
  if (chosen !== 1) {
    throw new UsageError(
      'transport',
      'a gate needs one certificate, or none on the loopback address',
      {
        suggestions: [
          '--tls-cert FILE --tls-key FILE',
          '--self-signed for a certificate of its own',
          '--insecure-http behind a proxy on this machine',
        ],
      },
    )
  }
  if (insecureHttp && !isLoopback(address)) {
    throw new UsageError(
      'insecure-address',
      `keys and tokens would travel to ${address} in plain text`,
      { suggestions: ['--insecure-http goes with --address 127.0.0.1 only'] },
    )
  }
}

function isLoopback(address: string): boolean {
  return (
    address === 'localhost' ||
    address === '::1' ||
    (isIP(address) === 4 && address.startsWith('127.'))
  )
}

function checkNetwork(text: string): void {
  const [address = '', bits, ...rest] = text.split('/')
  const widest = { 4: 32, 6: 128 }[isIP(address)] ?? -1
  const isPrefix = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= widest)
  if (widest === -1 || !isPrefix || rest.length > 0) {
    throw new UsageError(
      'bad-network',
      `not an address or network: ${JSON.stringify(text.slice(0, 60))}`,
      {
        suggestions: ['give it as --trust-proxy 10.0.0.0/8'],
      },
    )
  }
}

function checkTokenLife(ms: number | undefined): void {
  if (ms === undefined || (ms >= 1_000 && ms <= MAX_TOKEN_TTL_MS)) return
  throw new UsageError('token-ttl', 'a token lives between a second and an hour', {
    suggestions: ['--token-ttl 15m'],
  })
}
