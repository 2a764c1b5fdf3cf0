import type { Random } from '../clock.js'
import { UsageError } from '../errors.js'
import type { Secret } from '../secret.js'

/** NIST SP 800-63B-4: at least 15 where the password is the only factor, which it is in the app. */
const LENGTH_MIN = 15
/** Long enough for any pass phrase; bounds what is hashed for a stranger. */
const LENGTH_MAX = 256
/** Fewer different characters than this is one key held down. */
const DISTINCT_MIN = 5

/** OWASP's minimum for argon2id. One computation takes this memory and some 40 ms of a core. */
export const ARGON2_PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

const SALT_BYTES = 16
const HASH_BYTES = 32

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')

// A digest that no password has. Verifying against it takes as long as against a real one.
const { memoryCost, timeCost, parallelism } = ARGON2_PARAMETERS
const NOBODYS_HASH =
  `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}` +
  `$${base64(Buffer.alloc(SALT_BYTES))}$${base64(Buffer.alloc(HASH_BYTES))}`

/** The bytes that are hashed: the same whichever way a keyboard composes an accent. */
const normalised = (password: Secret): string => password.reveal().normalize('NFC')

/** Letters and digits only, so that `Solar Installer` and `solar.installer` are the same word. */
const bare = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')

// Long enough to pass, and among the first that anybody tries.
const COMMON = [
  '123456789012345',
  '1234567890123456',
  'passwordpassword',
  'qwertyuiopasdfgh',
  'administrator123',
  'letmeinletmeinletmein',
  'cleversolardevices',
]

/**
 * Refuses a password that is too short, too long or among the first anybody tries. There are no
 * rules on which characters it holds: they make passwords worse.
 * @param context words about its owner that must not be the whole password, such as the e-mail address
 * @throws UsageError saying what to choose instead
 */
export function checkPassword(password: Secret, context: readonly string[]): void {
  const text = normalised(password)
  const length = [...text].length
  const refuse = (reason: string): never => {
    throw new UsageError('weak-password', `the password ${reason}`, {
      suggestions: [
        `choose ${LENGTH_MIN} characters or more, for example four or five random words`,
      ],
    })
  }
  if (length < LENGTH_MIN) refuse(`has ${length} characters; ${LENGTH_MIN} is the least`)
  if (length > LENGTH_MAX) refuse(`has ${length} characters; ${LENGTH_MAX} is the most`)
  if (new Set(text.toLowerCase()).size < DISTINCT_MIN) refuse('repeats the same few characters')
  const guesses = new Set([...COMMON, ...context.flatMap((word) => [word, word + word])].map(bare))
  if (guesses.has(bare(text)) || guesses.has(text.toLowerCase())) {
    refuse('is among the first that anybody would try')
  }
}

/** Hashes a password for storage: argon2id with its parameters and a salt of its own. */
export async function hashPassword(password: Secret, random: Random): Promise<string> {
  const argon2 = await import('argon2')
  return argon2.hash(normalised(password), {
    ...ARGON2_PARAMETERS,
    type: argon2.argon2id,
    hashLength: HASH_BYTES,
    salt: random.bytes(SALT_BYTES),
  })
}

/**
 * Compares a password with a stored hash; `undefined` stands for somebody who does not exist,
 * takes the same time and is never right.
 */
export async function verifyPassword(hash: string | undefined, password: Secret): Promise<boolean> {
  const argon2 = await import('argon2')
  const matches = await argon2.verify(hash ?? NOBODYS_HASH, normalised(password))
  return matches && hash !== undefined
}

/** Whether a hash was made with other parameters than today's. */
export async function needsRehash(hash: string): Promise<boolean> {
  const argon2 = await import('argon2')
  return argon2.needsRehash(hash, ARGON2_PARAMETERS)
}
