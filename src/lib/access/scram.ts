import { createHash, createHmac, pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import type { Random } from '../clock.js'
import type { Secret } from '../secret.js'

const ITERATIONS = 4096
const SALT_BYTES = 16

/**
 * What PostgreSQL keeps of a password, by RFC 5802 and RFC 7677, so that the password itself never gets to
 * the server nor into its log. The iterations are PostgreSQL's own default.
 * @param password printable ASCII, for which no normalisation (SASLprep) is needed
 */
export async function scramVerifier(password: Secret, random: Random): Promise<string> {
  return verifierWith(password, random.bytes(SALT_BYTES), ITERATIONS)
}

/** Whether a verifier was made of this password. */
export async function isVerifierOf(verifier: string, password: Secret): Promise<boolean> {
  const [, iterations, salt] = /^SCRAM-SHA-256\$(\d+):([^$]*)\$/.exec(verifier) ?? []
  if (iterations === undefined || salt === undefined) return false
  const made = await verifierWith(password, Buffer.from(salt, 'base64'), Number(iterations))
  return made === verifier
}

async function verifierWith(password: Secret, salt: Buffer, iterations: number): Promise<string> {
  const salted = await promisify(pbkdf2)(password.reveal(), salt, iterations, 32, 'sha256')
  const keyOf = (name: string) => createHmac('sha256', salted).update(name).digest()
  const stored = createHash('sha256').update(keyOf('Client Key')).digest()
  const [saltText, storedText, serverText] = [salt, stored, keyOf('Server Key')].map((bytes) =>
    bytes.toString('base64'),
  )
  return `SCRAM-SHA-256$${iterations}:${saltText}$${storedText}:${serverText}`
}
