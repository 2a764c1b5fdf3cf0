import { readFile } from 'node:fs/promises'
import { UsageError } from '../../errors.js'
import { errorCode } from '../../file-system.js'
import { refuseFault, type Fault } from '../../fault.js'
import { faultOfPath } from '../../host/types.js'
import { faultOfAddress, faultOfPort } from '../../ssh/address.js'
import { Secret } from '../../secret.js'
import {
  REPOSITORY_SETTINGS,
  type RepositoryAccess,
  type RepositoryFacts,
  type RepositoryKind,
  type RepositorySettings,
} from './types.js'

type SettingName = keyof RepositorySettings

/** What each kind needs, and what it may have beside. */
const FORMS: Record<RepositoryKind, { needed: SettingName[]; possible: SettingName[] }> = {
  posix: { needed: ['path'], possible: [] },
  s3: { needed: ['bucket', 'endpoint', 'region'], possible: ['path', 'port', 'uri-style'] },
  azure: { needed: ['account', 'container'], possible: ['path', 'endpoint', 'port', 'uri-style'] },
  gcs: { needed: ['bucket'], possible: ['path', 'endpoint', 'port'] },
}

/** Where in a bucket or container it lies unless told otherwise. */
const USUAL_PATH = '/pgbackrest'
/** Names of buckets, containers, accounts and regions; nothing that a configuration file reads in another way. */
const NAME_FORM = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/
const CERTIFICATE_FORM =
  /^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\r\n]+\n-----END CERTIFICATE-----$/gm

/**
 * Reads what flags say of a repository.
 * @throws UsageError for a setting that is missing, too much for this kind, or not well-formed
 */
export function readRepositoryFlags(
  number: number,
  kind: RepositoryKind,
  flags: Partial<Record<SettingName, string | undefined>>,
): RepositoryFacts {
  const { needed, possible } = FORMS[kind]
  const missing = needed.find((name) => flags[name] === undefined)
  if (missing !== undefined)
    throw new UsageError('missing-flag', `a repository of type ${kind} needs --${missing}`)
  const given = REPOSITORY_SETTINGS.filter((name) => flags[name] !== undefined)
  const surplus = given.find((name) => ![...needed, ...possible].includes(name))
  if (surplus !== undefined)
    throw new UsageError('surplus-flag', `--${surplus} does not belong to the type ${kind}`)
  const settings: RepositorySettings = { path: USUAL_PATH }
  for (const name of given) {
    const value = flags[name] ?? ''
    refuseFault(faultOf(name, value))
    settings[name] = value
  }
  return { number, kind, settings }
}

function faultOf(name: SettingName, value: string): Fault | undefined {
  if (name === 'path') return faultOfPath(value)
  if (name === 'endpoint') return faultOfAddress(value)
  if (name === 'port') return faultOfPort(Number(value))
  if (NAME_FORM.test(value)) return undefined
  const reason = `--${name} is letters, digits, dots, hyphens and underscores, 255 at most`
  return { code: 'bad-setting', reason }
}

/** The question, and the name of what is asked for, where a kind has a secret. */
export const ACCESS_QUESTIONS: Partial<Record<RepositoryKind, string>> = {
  s3: 'Access key id and secret access key, as ID:SECRET',
  azure: 'Key of the storage account, or a shared access signature',
  gcs: 'Key of the service account, as one line of JSON',
}

/**
 * Reads what opens the place of a repository.
 * @param secret undefined for a kind that needs none
 * @throws UsageError for what cannot be one; the message has nothing of it
 */
export function readAccess(kind: RepositoryKind, secret: Secret | undefined): RepositoryAccess {
  if (kind === 'posix') return { kind }
  const text = (secret?.reveal() ?? '').trim()
  if (kind === 's3') return readS3(text)
  if (kind === 'azure') return readAzure(text)
  return readServiceAccount(text)
}

function readS3(text: string): RepositoryAccess {
  const [, keyId, key] = /^([^\s:]+):(\S+)$/.exec(text) ?? []
  if (keyId === undefined || key === undefined)
    throw badSecret('the secret of S3 is the access key id, a colon and the secret access key')
  return { kind: 's3', keyId: new Secret(keyId), key: new Secret(key) }
}

function readAzure(text: string): RepositoryAccess {
  const signature = text.replace(/^\?/, '')
  // A key of an account is base64 and has no ampersand.
  if (/(?:^|&)sig=\S/.test(signature) && !/\s/.test(signature))
    return { kind: 'azure', keyType: 'sas', key: new Secret(signature) }
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.length % 4 === 0)
    return { kind: 'azure', keyType: 'shared', key: new Secret(text) }
  throw badSecret('the secret of Azure is the key of the account, or a shared access signature')
}

/** What pgBackRest 2.45 reads of it (its src/storage/gcs/storage.c). */
const SERVICE_ACCOUNT_KEYS = ['client_email', 'private_key', 'token_uri'] as const

function readServiceAccount(text: string): RepositoryAccess {
  let found: Record<string, unknown> = {}
  try {
    found = JSON.parse(text) as Record<string, unknown>
  } catch {
    // Said below; the parser's own message quotes the text.
  }
  const missing = SERVICE_ACCOUNT_KEYS.find((key) => typeof found?.[key] !== 'string')
  if (missing !== undefined)
    throw badSecret(`the secret of GCS is the JSON of a service account, with ${missing}`)
  return { kind: 'gcs', serviceAccount: new Secret(JSON.stringify(found)) }
}

function badSecret(message: string): UsageError {
  return new UsageError('bad-secret', message, { suggestions: ['--secret-file FILE'] })
}

const PASSPHRASE_FORM = /^[\x21-\x7e]{16,512}$/

/** Refuses what pgBackRest's configuration cannot hold as a passphrase, or what can be guessed. Throws UsageError. */
export function requirePassphrase(passphrase: Secret): void {
  if (!PASSPHRASE_FORM.test(passphrase.reveal()))
    throw new UsageError('bad-secret', 'a passphrase is 16 to 512 characters without blanks')
}

/** Reads the certificates of an authority, PEM, and nothing else of the file. Throws UsageError where there is none. */
export async function readAuthority(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError('unreadable-file', `cannot open ${path} (${errorCode(error)})`)
  })
  const certificates = text.replaceAll('\r\n', '\n').match(CERTIFICATE_FORM)
  if (certificates === null)
    throw new UsageError('bad-certificate', `${path} holds no certificates in PEM`)
  return `${certificates.join('\n')}\n`
}
