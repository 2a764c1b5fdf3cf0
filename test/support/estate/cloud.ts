import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CertificateAuthority } from '../certificates.js'
import { call } from './call.js'
import type { Estate } from './estate.js'

/** The name by which the backup machine knows the cloud; the certificate is for it. */
const NAME = 'cloud.example'
/** Of the switch in the estate's network, where the test's own programs are. */
const ADDRESS = '192.0.2.1'
const EVERY_MS = 50

/** A cloud outside of the estate, which only the backup machine knows by name; its data are on a disk here. */
export class Cloud {
  readonly endpoint = NAME
  readonly port: number
  /** Certificates of its authority, PEM. */
  readonly authority: string
  readonly #certificates: CertificateAuthority
  readonly #folder: string
  readonly #child: ChildProcess

  private constructor(given: {
    port: number
    certificates: CertificateAuthority
    folder: string
    child: ChildProcess
  }) {
    this.port = given.port
    this.authority = given.certificates.certificate
    this.#certificates = given.certificates
    this.#folder = given.folder
    this.#child = given.child
  }

  /** S3 with a bucket; it takes the key that s3rver always takes, {@link S3_SECRET}. */
  static async s3(estate: Estate, bucket: string): Promise<Cloud> {
    return Cloud.#open(estate, 's3rver/bin/s3rver.js', 4568, (folder, { certificate, key }) => [
      ...['-d', folder, '-a', ADDRESS, '-p', '4568', '--silent', '--no-vhost-buckets'],
      ...['--key', key, '--cert', certificate, '--configure-bucket', bucket],
    ])
  }

  /** Ends it, with its data. */
  async close(): Promise<void> {
    const ended = once(this.#child, 'exit')
    if (this.#child.kill('SIGKILL')) await ended
    this.#certificates.remove()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  static async #open(
    estate: Estate,
    program: string,
    port: number,
    wordsOf: (folder: string, files: { certificate: string; key: string }) => string[],
  ): Promise<Cloud> {
    const certificates = new CertificateAuthority()
    const folder = mkdtempSync(join(tmpdir(), 'cctl-cloud-'))
    const files = certificates.issue(NAME, [`DNS:${NAME}`])
    const script = createRequire(import.meta.url).resolve(program)
    const network = ['-t', String(estate.network), '--net']
    const words = [...network, process.execPath, script, ...wordsOf(folder, files)]
    // It ends when the test's process does, however that ends.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'nsenter', ...words], {
      stdio: 'ignore',
      env: { PATH: process.env['PATH'] ?? '' },
    })
    const cloud = new Cloud({ port, certificates, folder, child })
    const listens = ['nsenter', ...network, 'ss', '-Hltn', `sport = :${port}`]
    while ((await call(listens[0] ?? '', listens.slice(1))) === '') {
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`)
      await sleep(EVERY_MS)
    }
    await estate.machine('bak1').script(`echo '${ADDRESS} ${NAME}' >>/etc/hosts`)
    return cloud
  }
}

/** What s3rver takes, as `--secret-file` wants it. */
export const S3_SECRET = 'S3RVER:S3RVER'
