import type { Clock, Random } from '../clock.js'
import { Secret } from '../secret.js'
import type { Signer } from '../signing-key/signer.js'
import { ISSUER, type AppClaims, type DeviceClaims, type SignedToken } from './types.js'

const TOKEN_ID_BYTES = 16

/** Whom a token is for. */
export type TokenBearer =
  | Pick<DeviceClaims, 'audience' | 'installation' | 'serial' | 'installationEpoch' | 'deviceEpoch'>
  | Pick<AppClaims, 'audience' | 'installerId' | 'installerEpoch'>

/**
 * Signs a token for its bearer.
 * @param options.ttlMs its life in milliseconds, cut to whole seconds; the caller keeps it within the policy
 */
export function signToken(
  signer: Signer,
  bearer: TokenBearer,
  options: { clock: Clock; random: Random; ttlMs: number },
): SignedToken {
  const tokenId = options.random.bytes(TOKEN_ID_BYTES).toString('base64url')
  const iat = Math.floor(options.clock.now().getTime() / 1000)
  const exp = iat + Math.floor(options.ttlMs / 1000)
  const claims = { iss: ISSUER, ...bearerClaims(bearer), jti: tokenId, iat, exp }
  return { token: new Secret(signer.sign(claims)), tokenId, expiresAt: new Date(exp * 1000) }
}

function bearerClaims(bearer: TokenBearer) {
  if (bearer.audience === 'app')
    return {
      aud: bearer.audience,
      sub: bearer.installerId,
      client_id: 'app',
      epoch: bearer.installerEpoch,
    }
  return {
    aud: bearer.audience,
    sub: bearer.installation,
    client_id: bearer.serial,
    serial: bearer.serial,
    epoch: bearer.installationEpoch,
    device_epoch: bearer.deviceEpoch,
  }
}
