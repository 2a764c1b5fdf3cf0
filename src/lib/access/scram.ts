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
  const salt = random.bytes(SALT_BYTES)
  const salted = await promisify(pbkdf2)(password.reveal(), salt, ITERATIONS, 32, 'sha256')
  const keyOf = (name: string) => createHmac('sha256', salted).update(name).digest()
  const stored = createHash('sha256').update(keyOf('Client Key')).digest()
  const [saltText, storedText, serverText] = [salt, stored, keyOf('Server Key')].map((bytes) =>
    bytes.toString('base64'),
  )
  return `SCRAM-SHA-256$${ITERATIONS}:${saltText}$${storedText}:${serverText}`
}
