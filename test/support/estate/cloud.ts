import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CertificateAuthority } from '../certificates.js'
import { call } from './call.js'
import type { Estate } from './estate.js'

/** Of the switch in the estate's network, where the test's own programs are. */
const ADDRESS = '192.0.2.1'
const EVERY_MS = 50

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const S3RVER = path('../../../node_modules/s3rver/bin/s3rver.js')
/** It has packages of its own, which scripts/test.sh installs: there are too many to be in everybody's way. */
const AZURITE = path('azurite/node_modules/azurite/dist/src/blob/main.js')

/** What s3rver takes, as `--secret-file` wants it. */
export const S3_SECRET = 'S3RVER:S3RVER'
/** The storage account that there is in Azurite, and its key. */
export const AZURE_ACCOUNT = 'solarbackup'
export const AZURE_SECRET = Buffer.from('a key of the test alone').toString('base64')

/** A program that is a cloud. */
interface CloudProgram {
  script: string
  /** The name by which the backup machine knows it; its certificate is for that. */
  name: string
  port: number
  env?: Record<string, string>
  words: (folder: string, files: { certificate: string; key: string }) => string[]
}

/** A cloud outside of the estate, which only the backup machine knows by name; its data are on a disk here. */
export class Cloud {
  readonly endpoint: string
  readonly port: number
  /** Certificates of its authority, PEM. */
  readonly authority: string
  readonly #certificates: CertificateAuthority
  readonly #folder: string
  readonly #child: ChildProcess

  private constructor(given: {
    program: CloudProgram
    certificates: CertificateAuthority
    folder: string
    child: ChildProcess
  }) {
    this.endpoint = given.program.name
    this.port = given.program.port
    this.authority = given.certificates.certificate
    this.#certificates = given.certificates
    this.#folder = given.folder
    this.#child = given.child
  }

  /** S3 with a bucket; it takes the key that s3rver always takes, {@link S3_SECRET}. */
  static async s3(estate: Estate, bucket: string): Promise<Cloud> {
    return Cloud.#open(estate, {
      ...{ script: S3RVER, name: 's3.example', port: 4568 },
      words: (folder, { certificate, key }) => [
        ...['-d', folder, '-a', ADDRESS, '-p', '4568', '--silent', '--no-vhost-buckets'],
        ...['--key', key, '--cert', certificate, '--configure-bucket', bucket],
      ],
    })
  }

  /** Whether the packages of Azurite are there. */
  static hasAzure(): boolean {
    return existsSync(AZURITE)
  }

  /** Azure with an empty container of {@link AZURE_ACCOUNT}. */
  static async azure(estate: Estate, container: string): Promise<Cloud> {
    const cloud = await Cloud.#open(estate, {
      ...{ script: AZURITE, name: 'azure.example', port: 10000 },
      env: { AZURITE_ACCOUNTS: `${AZURE_ACCOUNT}:${AZURE_SECRET}` },
      // The account is named in the path, not by the first word of the host's name.
      words: (folder, { certificate, key }) => [
        ...['--location', folder, '--blobHost', ADDRESS, '--blobPort', '10000', '--silent'],
        ...['--cert', certificate, '--key', key, '--disableTelemetry', '--disableProductStyleUrl'],
      ],
    })
    await cloud.#makeContainer(estate, container).catch(async (error: unknown) => {
      await cloud.close()
      throw error
    })
    return cloud
  }

  /** Ends it, with its data. */
  async close(): Promise<void> {
    const ended = once(this.#child, 'exit')
    if (this.#child.kill('SIGKILL')) await ended
    this.#certificates.remove()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** By a command that pgBackRest has for its own tests. */
  async #makeContainer(estate: Estate, container: string): Promise<void> {
    const options = {
      ...{ TYPE: 'azure', STORAGE_PORT: this.port, STORAGE_VERIFY_TLS: 'n' },
      ...{ AZURE_ACCOUNT, AZURE_KEY: AZURE_SECRET, AZURE_CONTAINER: container },
      ...{ AZURE_ENDPOINT: this.endpoint, AZURE_URI_STYLE: 'path' },
    }
    const variables = Object.entries(options).map(
      ([name, value]) => `PGBACKREST_REPO1_${name}=${value}`,
    )
    const words = ['env', ...variables, 'pgbackrest', '--no-config', 'repo-create']
    await estate.machine('bak1').run('root', words)
  }

  static async #open(estate: Estate, program: CloudProgram): Promise<Cloud> {
    const { script, name, port, env } = program
    const certificates = new CertificateAuthority()
    const folder = mkdtempSync(join(tmpdir(), 'cctl-cloud-'))
    const files = certificates.issue(name, [`DNS:${name}`])
    const network = ['-t', String(estate.network), '--net']
    const words = [...network, process.execPath, script, ...program.words(folder, files)]
    // It ends when the test's process does, however that ends.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'nsenter', ...words], {
      stdio: 'ignore',
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', ...env },
    })
    const cloud = new Cloud({ program, certificates, folder, child })
    const listens = ['nsenter', ...network, 'ss', '-Hltn', `sport = :${port}`]
    while ((await call(listens[0] ?? '', listens.slice(1))) === '') {
      if (child.exitCode !== null) throw new Error(`${script} ended with ${child.exitCode}`)
      await sleep(EVERY_MS)
    }
    await estate.machine('bak1').script(`echo '${ADDRESS} ${name}' >>/etc/hosts`)
    return cloud
  }
}
