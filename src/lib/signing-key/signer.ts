import { createPrivateKey } from 'node:crypto'
import { NotFoundError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import { sealIdentity } from './generate.js'
import { selectActiveSealed } from './store.js'
import { ALGORITHM, EVIDENCE_TYPE, TOKEN_TYPE } from './types.js'

/** Signs with the ACTIVE key. */
export interface Signer {
  readonly kid: string
  /** The token's text. `claims` must hold `iat` and `exp`: the signer looks at no clock. */
  sign(claims: { iat: number; exp: number } & Record<string, unknown>): string
  /** A statement about something that was done, as a JWS that the published keys verify; it does not expire. */
  attest(statement: { iat: number } & Record<string, unknown>): string
}

/**
 * Opens the ACTIVE signing key. Load it again when a `signing-key:` notification comes.
 * Throws NotFoundError when there is none, RefusedError when the keyring cannot open it.
 */
export async function loadSigner(workspace: Workspace): Promise<Signer> {
  const active = await selectActiveSealed(workspace.database)
  if (active === undefined)
    throw new NotFoundError('no-signing-key', 'there is no signing key', {
      suggestions: ['cleverctl signing-key rotate'],
    })
  const keyring = await workspace.keyring()
  const pkcs8 = keyring.open(active.sealedPrivate, sealIdentity(active.kid))
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  pkcs8.fill(0)
  const { default: jsonwebtoken } = await import('jsonwebtoken')
  const signAs = (typ: string) => (claims: object) => {
    const header = { alg: ALGORITHM, typ, kid: active.kid }
    return jsonwebtoken.sign(claims, privateKey, { algorithm: ALGORITHM, header })
  }
  return { kid: active.kid, sign: signAs(TOKEN_TYPE), attest: signAs(EVIDENCE_TYPE) }
}
