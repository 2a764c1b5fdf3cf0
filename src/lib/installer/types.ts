import { UsageError } from '../errors.js'

declare const emailBrand: unique symbol

/** An e-mail address in the one form it is stored and compared in: trimmed, lower case. */
export type InstallerEmail = string & { readonly [emailBrand]: true }

/** What an installer may do now. `locked` ends by itself, `disabled` by a member of staff. */
export type InstallerState = 'enabled' | 'locked' | 'disabled'

/** RFC 5321: 254 characters fit into a path. */
const EMAIL_MAX = 254

// The form a browser accepts for an e-mail field, ASCII only: look-alike letters of other alphabets
// would make two people of what reads as one address.
const EMAIL_FORM =
  /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/

/**
 * Brings an e-mail address into its stored form.
 * @throws UsageError when it is none
 */
export function parseEmail(text: string): InstallerEmail {
  const email = text.trim().toLowerCase()
  if (email.length <= EMAIL_MAX && EMAIL_FORM.test(email)) return email as InstallerEmail
  throw new UsageError(
    'invalid-email',
    `not an e-mail address: ${JSON.stringify(text.slice(0, 80))}`,
    {
      suggestions: ['give it as installer@example.com'],
    },
  )
}

/** The stored form of an e-mail address, or undefined when it is none. */
export function tryParseEmail(text: string): InstallerEmail | undefined {
  try {
    return parseEmail(text)
  } catch (error) {
    if (error instanceof UsageError) return undefined
    throw error
  }
}

/** An installer's name must fit a line of a list. */
const NAME_MAX = 200

/**
 * Checks a person's name: 1 to 200 characters on one line.
 * @throws UsageError
 */
export function parseInstallerName(text: string): string {
  const name = text.trim()
  if (name !== '' && name.length <= NAME_MAX && !/[\p{Cc}\p{Cs}]/u.test(name)) return name
  throw new UsageError(
    'invalid-name',
    `an installer's name is 1 to ${NAME_MAX} characters on one line`,
  )
}

/** The state that follows from an installer's row at a moment. */
export function installerState(
  row: { disabledAt: Date | null; lockedUntil: Date | null },
  now: Date,
): InstallerState {
  if (row.disabledAt) return 'disabled'
  return row.lockedUntil && row.lockedUntil > now ? 'locked' : 'enabled'
}
