import type { Authority } from './authority.js'

const LIST = /-----BEGIN X509 CRL-----[^]*?-----END X509 CRL-----\n?/g

/**
 * The text of an ssl_crl_file in which an authority revokes these certificates. Lists of other authorities, and
 * whatever else there is, stay. The same text where the authority's list has them all: a list stands until its
 * authority ends. OpenSSL takes no certificate of an authority without a list, so there is one, empty at first.
 */
export async function withRevocations(
  text: string,
  authority: Authority,
  { serials, now }: { serials: readonly string[]; now: Date },
): Promise<string> {
  const { X509Certificate, X509Crl } = await import('@peculiar/x509')
  const { subject } = new X509Certificate(authority.certificate)
  const read = (block: string) => {
    try {
      const list = new X509Crl(block)
      return list.issuer === subject ? list : undefined
    } catch {
      return undefined
    }
  }
  const own = (text.match(LIST) ?? []).flatMap((block) => read(block) ?? [])
  const known = new Set(own.flatMap(({ entries }) => entries.map((each) => each.serialNumber)))
  if (own.length === 1 && serials.every((serial) => known.has(serial))) return text
  const rest = text.replace(LIST, (block) => (read(block) ? '' : block))
  const list = await authority.revocationList({ serials, now })
  return `${rest === '' || rest.endsWith('\n') ? rest : `${rest}\n`}${list.trim()}\n`
}
