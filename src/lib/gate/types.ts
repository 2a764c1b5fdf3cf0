/** The three requirements of an arrival: 1 key and token are right, 2 manufactured, 3 installed by the app. */
export type Requirement = 1 | 2 | 3

/**
 * Why an arrival was refused, for engineers only. K: API key, S: device secret, T: token, X: key and
 * token disagree, D: device, I: installation by the app.
 */
export type RefusalCode = keyof typeof MEANINGS

const MEANINGS = {
  K_MISSING: 'no API key was sent',
  K_UNKNOWN: 'no API key is like the one sent',
  K_PENDING: 'the API key was made but not yet given out',
  K_REVOKED: 'the API key was revoked',
  K_EXPIRED: 'the API key has expired',
  K_GRACE_OVER: 'the API key was rotated and its grace is over',
  K_SITE_RETIRED: "the API key's installation was retired",
  S_WRONG: "the device's secret is wrong",
  T_MISSING: 'no token was sent',
  T_SIG: 'the token was not made by this system for a device',
  T_AUD: 'the token was made for another purpose',
  T_SKEW: 'the token lies in the future: a clock is wrong',
  T_EXPIRED: 'the token has expired',
  T_EPOCH: 'the token was revoked',
  X_SITE_MISMATCH: 'key and token belong to different installations',
  D_NOT_MANUFACTURED: 'no such device was manufactured',
  D_REVOKED: 'the device was revoked',
  I_NONE: 'the device was never installed with the mobile app',
  I_OTHER_SITE: 'the device is installed at another installation',
  I_CLOSED: 'the device was taken away from its installation',
} as const

/** The requirement that a code belongs to; it decides between 401 and 403. */
export function requirementOf(code: RefusalCode): Requirement {
  if (code.startsWith('D_')) return 2
  return code.startsWith('I_') ? 3 : 1
}

/** A code in words, for tables and for `gate explain`. A code of a later version is its own meaning. */
export function meaningOf(code: string): string {
  return isRefusalCode(code) ? MEANINGS[code] : code
}

function isRefusalCode(code: string): code is RefusalCode {
  return Object.hasOwn(MEANINGS, code)
}
