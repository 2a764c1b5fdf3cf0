import type { Secret } from '../secret.js'

/** Who signs our tokens. */
export const ISSUER = 'cleverctl'

/** What a token is for: `ingest` lets a device send readings, `app` an installer use the mobile app. */
export type Audience = 'ingest' | 'app'

/** A token's life when nobody asks for another; the longest is MAX_TOKEN_TTL_MS of lib/signing-key. */
export const DEFAULT_TOKEN_TTL_MS = 900_000

interface CommonClaims {
  /** Names this one token in the trail and in logs (`jti`). */
  tokenId: string
  issuedAt: Date
  expiresAt: Date
}

/** What a device's token says: this device, at this installation, while both epochs are what they were. */
export interface DeviceClaims extends CommonClaims {
  audience: 'ingest'
  /** The installation's code (`sub`). */
  installation: string
  serial: string
  /** Raised in the installation's row, it ends all tokens of the installation. */
  installationEpoch: number
  /** Raised in the device's row, it ends all tokens of the device. */
  deviceEpoch: number
}

/** What an installer's token says. */
export interface AppClaims extends CommonClaims {
  audience: 'app'
  /** The installer's id in the database (`sub`). */
  installerId: string
  /** Raised in the installer's row, it ends all tokens of that person. */
  installerEpoch: number
}

/** The claims of a token for the given audience. */
export type ClaimsFor<Kind extends Audience> = Kind extends 'ingest' ? DeviceClaims : AppClaims

/** A token that was just signed. */
export interface SignedToken {
  token: Secret
  tokenId: string
  expiresAt: Date
}

/** What can be wrong with a token; one code a rule. Staff read it, the network sees 401. */
export type TokenFault =
  | 'T_MISSING'
  | 'T_FORMAT'
  | 'T_ALG'
  | 'T_TYP'
  | 'T_CRIT'
  | 'T_HEADER'
  | 'T_KID'
  | 'T_SIG'
  | 'T_ISS'
  | 'T_AUD'
  | 'T_SUB'
  | 'T_JTI'
  | 'T_CLIENT'
  | 'T_NO_EXP'
  | 'T_TTL'
  | 'T_SKEW'
  | 'T_EXPIRED'
  | 'T_EPOCH'

/** The classes of token refusals that gates count and engineers query. */
export type TokenRefusal = 'T_MISSING' | 'T_SIG' | 'T_EXPIRED' | 'T_SKEW' | 'T_AUD' | 'T_EPOCH'

/**
 * The class of a fault. A missing, expired, early, misdirected or overtaken token is a class of its own;
 * every other fault means that no signer of ours made this text for a device, and is T_SIG.
 */
export function refusalOf(fault: TokenFault): TokenRefusal {
  switch (fault) {
    case 'T_MISSING':
    case 'T_EXPIRED':
    case 'T_SKEW':
    case 'T_AUD':
    case 'T_EPOCH':
      return fault
    default:
      return 'T_SIG'
  }
}
