import type { RefusalCode } from './types.js'

/** Whom a refusal is about, as far as it is known. */
export interface Subject {
  serial: string | undefined
  /** The installation of the API key. */
  keyInstallation: string | undefined
  /** The installation that the token is for. */
  tokenInstallation: string | undefined
}

/** The command, or the step, after which the gate would no longer refuse for this reason. */
export function mendFor(code: RefusalCode, subject: Subject): string {
  const installation = subject.keyInstallation ?? subject.tokenInstallation ?? 'INSTALLATION'
  const serial = subject.serial ?? 'SERIAL'
  const newToken = `the device asks for a token again, or: cleverctl token issue ${serial} --output token2.txt`
  const placeIt = `an installer of ${installation} places ${serial} with the mobile app: cleverctl installer assign EMAIL ${installation}`
  switch (code) {
    case 'K_MISSING':
      return 'the device sends its API key in the header X-API-Key'
    case 'K_UNKNOWN':
    case 'K_PENDING':
    case 'K_GRACE_OVER':
      return `the device gets the current key; should nobody have it: cleverctl api-key rotate ${installation} --output key2.txt`
    case 'K_EXPIRED':
    case 'K_REVOKED':
      return `cleverctl api-key issue ${installation} --output key2.txt`
    case 'K_SITE_RETIRED':
      return `cleverctl installation show ${installation}`
    case 'S_WRONG':
      return `cleverctl device rotate-secret ${serial} --output secret.txt`
    case 'T_MISSING':
    case 'T_SIG':
    case 'T_AUD':
    case 'T_EXPIRED':
    case 'T_EPOCH':
      return newToken
    case 'T_SKEW':
      return 'the clocks of the gates are set right (NTP)'
    case 'X_SITE_MISMATCH':
      return `the device gets the API key of its own installation: cleverctl device show ${serial}`
    case 'D_NOT_MANUFACTURED':
      return `cleverctl device register ${serial} --secrets-out secrets.csv`
    case 'D_REVOKED':
      return `a revocation is for good; why: cleverctl device show ${serial}`
    case 'I_NONE':
    case 'I_CLOSED':
      return placeIt
    case 'I_OTHER_SITE':
      return `cleverctl device remove ${serial} --yes; then ${placeIt}`
  }
}
