import assert from 'node:assert/strict'
import { readAccess, readRepositoryFlags } from '../../src/lib/backup/repository/asked.js'
import { configurationOf } from '../../src/lib/backup/repository/configuration.js'
import type { RepositoryKind, RepositorySettings } from '../../src/lib/backup/repository/types.js'
import { UsageError } from '../../src/lib/errors.js'
import { Secret } from '../../src/lib/secret.js'

const PASSPHRASE = new Secret('a passphrase of a test'.replaceAll(' ', '-'))
const SERVICE_ACCOUNT = JSON.stringify({
  ...{ type: 'service_account', client_email: 'backup@example.com', private_key: 'none' },
  token_uri: 'https://token.example.com/token',
})

function written(kind: RepositoryKind, flags: RepositorySettings, secret = '') {
  const access = readAccess(kind, new Secret(secret))
  const facts = readRepositoryFlags(3, kind, flags)
  const given = { access, passphrase: PASSPHRASE, authority: undefined }
  const { text, files } = configurationOf(facts, given)
  return { lines: text.trimEnd().split('\n').slice(2), files }
}

const SEALED = [
  'repo3-cipher-type=aes-256-cbc',
  `repo3-cipher-pass=${PASSPHRASE.reveal()}`,
  'repo3-bundle=y',
]

describe('the configuration of a repository', () => {
  const rows: [RepositoryKind, RepositorySettings, string, string[]][] = [
    ['posix', { path: '/mnt/vault' }, '', ['repo3-type=posix', 'repo3-path=/mnt/vault']],
    [
      's3',
      { bucket: 'b', endpoint: 's3.example.com', region: 'r', port: '9000', 'uri-style': 'path' },
      'ID:a/b+c:d=',
      [
        ...['repo3-type=s3', 'repo3-path=/pgbackrest', 'repo3-s3-bucket=b'],
        ...['repo3-s3-endpoint=s3.example.com', 'repo3-s3-region=r', 'repo3-s3-uri-style=path'],
        ...['repo3-s3-key=ID', 'repo3-s3-key-secret=a/b+c:d=', 'repo3-storage-port=9000'],
      ],
    ],
    [
      'azure',
      { account: 'a', container: 'c' },
      'c2VjcmV0',
      [
        ...['repo3-type=azure', 'repo3-path=/pgbackrest', 'repo3-azure-container=c'],
        ...['repo3-azure-account=a', 'repo3-azure-key-type=shared', 'repo3-azure-key=c2VjcmV0'],
      ],
    ],
    [
      'azure',
      { account: 'a', container: 'c' },
      '?sv=2022&sig=abc',
      [
        ...['repo3-type=azure', 'repo3-path=/pgbackrest', 'repo3-azure-container=c'],
        ...['repo3-azure-account=a', 'repo3-azure-key-type=sas', 'repo3-azure-key=sv=2022&sig=abc'],
      ],
    ],
  ]
  for (const [kind, flags, secret, lines] of rows)
    it(`has the options of ${kind}, encryption and no way around TLS (${secret.slice(0, 3)})`, () => {
      assert.deepEqual(written(kind, flags, secret).lines, [...lines, ...SEALED])
    })

  it('names the key file of GCS by its content', () => {
    const { lines, files } = written('gcs', { bucket: 'b' }, SERVICE_ACCOUNT)
    const [file] = files
    assert.match(file?.path ?? '', /^\/etc\/pgbackrest\/cleverctl-repo3-[0-9a-f]{16}\.json$/)
    assert.equal(file?.text, SERVICE_ACCOUNT)
    assert.deepEqual(lines.slice(0, 5), [
      ...['repo3-type=gcs', 'repo3-path=/pgbackrest', 'repo3-gcs-bucket=b'],
      ...['repo3-gcs-key-type=service', `repo3-gcs-key=${file?.path}`],
    ])
  })

  const refused: [string, () => unknown][] = [
    ['a setting of another kind', () => readRepositoryFlags(3, 's3', { account: 'a' })],
    [
      'a bucket with a line break',
      () => written('gcs', { bucket: 'b\nrepo1-path=/' }, SERVICE_ACCOUNT),
    ],
    ['a secret of S3 without a colon', () => readAccess('s3', new Secret('SECRET'))],
    ['a secret of S3 in two lines', () => readAccess('s3', new Secret('ID:a\nrepo1-path=/'))],
    ['a key of Azure that is no base64', () => readAccess('azure', new Secret('a key'))],
    ['a service account that is no JSON', () => readAccess('gcs', new Secret('SECRET'))],
    ['a service account without a key', () => readAccess('gcs', new Secret('{}'))],
  ]
  for (const [what, read] of refused)
    it(`is not written for ${what}`, () => {
      assert.throws(
        read,
        (error: Error) => error instanceof UsageError && !/SECRET/.test(error.message),
      )
    })
})
