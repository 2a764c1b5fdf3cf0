import { createPrivateKey, X509Certificate } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Clock, Random } from '../clock.js'
import { UsageError } from '../errors.js'
import { makeFolder, writeWhole } from '../file-system.js'
import { readSecretFile } from '../secret-file.js'

/** What a TLS server shows and proves. */
export interface ServerCertificate {
  cert: string
  key: string
  /** SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` prints it. */
  fingerprint: string
}

/** Loggers that pin the certificate keep it as long as they last. */
const LIFE_MS = 10 * 365 * 24 * 60 * 60_000
/** Before that little is left it is replaced. */
const RENEW_MS = 7 * 24 * 60 * 60_000
/** A logger's clock may be a little slow. */
const BEFORE_MS = 24 * 60 * 60_000

/**
 * Reads a certificate (chain) and its key.
 * @throws UsageError when a file cannot be read, the key is open to others, or the two do not belong together
 */
export async function readCertificate(files: {
  cert: string
  key: string
}): Promise<ServerCertificate> {
  const cert = await readFile(files.cert, 'utf8').catch((cause: unknown) => {
    throw new UsageError('unreadable-file', `--tls-cert: cannot read ${files.cert}`, { cause })
  })
  const key = (await readSecretFile(files.key, '--tls-key')).reveal()
  return matching(cert, key, `${files.cert} and ${files.key}`)
}

/**
 * The gate's own certificate, made at the first call and kept: `self-signed.pem` holds it with its key
 * (0600), `self-signed.crt` is for clients that are to trust it. Several processes may call this at once.
 * @param folder made when missing
 */
export async function selfSignedCertificate(
  folder: string,
  { clock, random }: { clock: Clock; random: Random },
): Promise<ServerCertificate> {
  await makeFolder(folder, 0o700)
  const file = join(folder, 'self-signed.pem')
  const known = await readFile(file, 'utf8').catch(() => undefined)
  if (known === undefined || isEnding(known, clock.now())) {
    const made = await makeCertificate(clock.now())
    const temporary = `${file}.${random.bytes(6).toString('hex')}`
    await writeFile(temporary, made, { mode: 0o600, flag: 'wx' })
    // Whoever is first wins: a second process takes the first one's.
    if (known === undefined) await link(temporary, file).catch(() => undefined)
    else await rename(temporary, file)
    await rm(temporary, { force: true })
  }
  const text = (await readSecretFile(file, 'the self-signed certificate')).reveal()
  const certificate = matching(certificateIn(text), text, file)
  const published = join(folder, 'self-signed.crt')
  if ((await readFile(published, 'utf8').catch(() => '')) !== certificate.cert)
    await writeWhole(published, certificate.cert, 0o644)
  return certificate
}

async function makeCertificate(now: Date): Promise<string> {
  const { generate } = await import('selfsigned')
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const addresses = interfaces.map(({ address }) => address).filter((each) => !each.includes('%'))
  const made = await generate([{ name: 'commonName', value: 'cleverctl gate' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(now.getTime() - BEFORE_MS),
    notAfterDate: new Date(now.getTime() + LIFE_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...[...new Set(['localhost', hostname()])].map((value) => ({ type: 2 as const, value })),
          ...[...new Set(['127.0.0.1', '::1', ...addresses])].map((ip) => ({
            type: 7 as const,
            ip,
          })),
        ],
      },
    ],
  })
  return `${made.private.trim()}\n${made.cert.trim()}\n`
}

function certificateIn(text: string): string {
  const [cert = ''] =
    /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n?/.exec(text) ?? []
  return `${cert.trim()}\n`
}

function isEnding(text: string, now: Date): boolean {
  try {
    const { validTo } = new X509Certificate(certificateIn(text))
    return Date.parse(validTo) < now.getTime() + RENEW_MS
  } catch {
    return true
  }
}

function matching(cert: string, key: string, place: string): ServerCertificate {
  try {
    const certificate = new X509Certificate(cert)
    if (certificate.checkPrivateKey(createPrivateKey(key))) {
      return { cert, key, fingerprint: certificate.fingerprint256 }
    }
  } catch {
    // Whatever openssl has against them is told below, without a word of the files.
  }
  throw new UsageError('bad-certificate', `no certificate with its private key: ${place}`)
}
