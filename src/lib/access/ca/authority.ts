import { generateKeyPair, webcrypto, X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import type { Random } from '../../clock.js'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const LIFE_MS = 10 * 365 * 24 * 60 * 60_000
/** A server's clock may be slow. */
const BEFORE_MS = 5 * 60_000
/** RFC 5280 allows 20; the first bit stays clear, because the number is positive. */
const SERIAL_BYTES = 16

/** Signs client certificates and says which of them do not hold any more. */
export interface Authority {
  /** PEM. */
  certificate: string
  /**
   * A certificate for a client and for nothing else. @returns PEM
   * @param given.publicKey SPKI, DER
   * @param given.until its end, to the second before
   */
  sign(given: { role: string; publicKey: Buffer; from: Date; until: Date }): Promise<string>
  /** The list of revoked certificates (CRL) by their serial numbers. It stands until the authority ends. @returns PEM */
  revocationList(given: { serials: readonly string[]; now: Date }): Promise<string>
}

/** A key pair, P-256. It comes from OpenSSL's own generator: no test has a reason to choose a private key. */
export async function newKeyPair(): Promise<{ pkcs8: Buffer; pem: string; spki: Buffer }> {
  const pair = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  return {
    pkcs8: pair.privateKey.export({ format: 'der', type: 'pkcs8' }),
    pem: pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString().trim(),
    spki: pair.publicKey.export({ format: 'der', type: 'spki' }),
  }
}

/** Makes an authority. @param given.id tells its name from that of any other */
export async function makeAuthority(given: {
  id: string
  now: Date
  random: Random
}): Promise<{ certificate: string; pkcs8: Buffer }> {
  const { id, now, random } = given
  const x509 = await import('@peculiar/x509')
  const { pkcs8, spki } = await newKeyPair()
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(random),
    ...{ subject: `CN=cleverctl clients ${id}`, issuer: `CN=cleverctl clients ${id}` },
    notBefore: new Date(now.getTime() - BEFORE_MS),
    notAfter: new Date(now.getTime() + LIFE_MS),
    ...{ publicKey: spki, signingKey: await importKey(pkcs8), signingAlgorithm: ALGORITHM },
    extensions: [
      // It signs clients and no further authority.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      await x509.SubjectKeyIdentifierExtension.create(spki),
    ],
  })
  return { certificate: made.toString('pem'), pkcs8 }
}

/** Opens an authority by its certificate and private key (PKCS #8, DER). */
export async function openAuthority(
  certificate: string,
  pkcs8: Buffer,
  random: Random,
): Promise<Authority> {
  const x509 = await import('@peculiar/x509')
  const own = new x509.X509Certificate(certificate)
  const signing = { signingKey: await importKey(pkcs8), signingAlgorithm: ALGORITHM }
  const issuer = own.subjectName
  const keyIdentifier = await x509.AuthorityKeyIdentifierExtension.create(own.publicKey)
  return {
    certificate,
    sign: async ({ role, publicKey, from, until }) => {
      const made = await x509.X509CertificateGenerator.create({
        serialNumber: newSerial(random),
        ...{ subject: `CN=${role}`, issuer, publicKey, ...signing },
        notBefore: new Date(from.getTime() - BEFORE_MS),
        notAfter: until,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth], true),
          keyIdentifier,
          await x509.SubjectKeyIdentifierExtension.create(publicKey),
        ],
      })
      return made.toString('pem')
    },
    revocationList: async ({ serials, now }) => {
      const made = await x509.X509CrlGenerator.create({
        ...{ issuer, ...signing, extensions: [keyIdentifier] },
        thisUpdate: new Date(now.getTime() - BEFORE_MS),
        nextUpdate: own.notAfter,
        entries: serials.map((serialNumber) => ({
          ...{ serialNumber, revocationDate: now },
          reason: x509.X509CrlReason.cessationOfOperation,
        })),
      })
      // The library's own label is none that OpenSSL knows.
      return x509.PemConverter.encode(made.rawData, 'X509 CRL')
    },
  }
}

/** The serial number of a certificate, in hexadecimal. */
export function serialOf(certificate: string): string {
  return new X509Certificate(certificate).serialNumber.toLowerCase()
}

function newSerial(random: Random): string {
  const bytes = random.bytes(SERIAL_BYTES)
  // Never zero, and never shorter than it was drawn.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

async function importKey(pkcs8: Buffer): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign'])
}
