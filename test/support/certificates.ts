import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate authority made by openssl for one test; its files are in a temporary folder. */
export class CertificateAuthority {
  readonly folder = mkdtempSync(join(tmpdir(), 'cctl-ca-'))
  readonly certificate = join(this.folder, 'ca.pem')
  readonly #key = join(this.folder, 'ca.key')

  constructor(name = 'cleverctl test authority') {
    this.#openssl([
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', this.#key, '-out', this.certificate, '-days', '2', '-subj', `/CN=${name}`],
    ])
  }

  /**
   * A key and a certificate signed by this authority.
   * @param names subject alternative names, e.g. `DNS:localhost`
   */
  issue(commonName: string, names: readonly string[]): { certificate: string; key: string } {
    const path = (suffix: string): string => join(this.folder, `${commonName}.${suffix}`)
    this.#openssl([
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', path('key'), '-out', path('csr'), '-subj', `/CN=${commonName}`],
    ])
    writeFileSync(path('ext'), `subjectAltName=${names.join(',')}\n`)
    this.#openssl([
      ...['x509', '-req', '-in', path('csr'), '-CA', this.certificate, '-CAkey', this.#key],
      ...['-CAcreateserial', '-days', '2', '-extfile', path('ext'), '-out', path('pem')],
    ])
    return { certificate: path('pem'), key: path('key') }
  }

  /** Removes every file of this authority. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #openssl(args: string[]): void {
    execFileSync('openssl', args, { stdio: 'pipe' })
  }
}
