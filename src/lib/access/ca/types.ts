import { X509Certificate } from 'node:crypto'

/** An authority that signs client certificates, as it is kept; without its key. */
export interface CaRow {
  id: string
  /** PEM. */
  certificate: string
  /** PEM, revokes nothing. */
  revocationList: string
  createdAt: Date
}

/** An authority as results show it. */
export interface ShownCa {
  id: string
  /** PEM. */
  certificate: string
  /** PEM, revokes nothing: what a server is set up with. */
  revocationList: string
  /** SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` prints it. */
  fingerprint: string
  /** When its certificate ends, and everything that it signed with it. */
  endsAt: string
  createdAt: string
}

/** A row as results show it. */
export function showCa({ id, certificate, revocationList, createdAt }: CaRow): ShownCa {
  const { fingerprint256: fingerprint, validTo } = new X509Certificate(certificate)
  return {
    ...{ id, certificate, revocationList, fingerprint },
    endsAt: new Date(validTo).toISOString(),
    createdAt: createdAt.toISOString(),
  }
}
