import type { ShownCa } from '../access/ca/types.js'
import type { Screen } from './screen.js'

/** Draws an authority as a file that servers read: around what is in PEM, they take everything for a comment. */
export function drawCa(screen: Screen, shown: ShownCa): void {
  const { id, fingerprint, endsAt, certificate, revocationList } = shown
  for (const text of [
    `cleverctl clients ${id}, until ${endsAt.slice(0, 10)}`,
    `SHA-256 ${fingerprint}`,
    'every server: put this into its data folder as client-ca.pem, owned by its user, then:',
    `alter system set ssl_ca_file = 'client-ca.pem'`,
    `alter system set ssl_crl_file = 'client-ca.pem'`,
    'select pg_reload_conf()',
    'where these are set already, add the certificate to the one file and the list to the other',
  ])
    screen.line(`# ${text}`)
  for (const pem of [certificate, revocationList])
    for (const line of pem.trim().split('\n')) screen.line(line)
}
