import { ConflictError, NotFoundError } from '../../errors.js'
import type { Secret } from '../../secret.js'

/** The kinds of places in which pgBackRest keeps a repository. */
export const REPOSITORY_KINDS = ['posix', 's3', 'azure', 'gcs'] as const
/** One of {@link REPOSITORY_KINDS}. */
export type RepositoryKind = (typeof REPOSITORY_KINDS)[number]

/** What says where a repository lies. */
export const REPOSITORY_SETTINGS = [
  'path',
  'bucket',
  'container',
  'account',
  'endpoint',
  'region',
  'port',
  'uri-style',
] as const
/** By name, those that were given. Nothing secret. */
export type RepositorySettings = Partial<Record<(typeof REPOSITORY_SETTINGS)[number], string>>

/** A repository as it is recorded, without what opens it. */
export interface RepositoryFacts {
  /** As in `repo2-path`. */
  number: number
  kind: RepositoryKind
  settings: RepositorySettings
}

/** What opens the place in which a repository lies. */
export type RepositoryAccess =
  | { kind: 'posix' }
  | { kind: 's3'; keyId: Secret; key: Secret }
  | { kind: 'azure'; keyType: 'shared' | 'sas'; key: Secret }
  /** The file of a service account, as JSON. */
  | { kind: 'gcs'; serviceAccount: Secret }

/** Where a repository is on its way; see the migration `backup_repository`. */
export type RepositoryState = 'CHANGING' | 'ACTIVE' | 'REMOVING' | 'REMOVED'

/** What became of a machine's configuration. */
export interface RepositoryMachine {
  name: string
  outcome: 'changed' | 'unchanged' | 'failed'
  /** Null where it did not fail. */
  reason: string | null
}

/** The error for a number that no repository has which this tool added. */
export function unknownRepository(stanza: string, number: number): NotFoundError {
  return new NotFoundError(
    'repository-not-found',
    `cleverctl has added no repository ${number} to ${stanza}`,
    { suggestions: ['cleverctl backup repo list', 'cleverctl backup repo check'] },
  )
}

/** The error for a second change of the repositories of a stanza at once. */
export function changeUnderWay(stanza: string): ConflictError {
  return new ConflictError('change-under-way', `a repository of ${stanza} is being changed`, {
    suggestions: ['give the command again when that is finished'],
  })
}

/** The lock under which the repositories of a stanza are changed. */
export const changeLock = (stanza: string) => `backup-repository:${stanza}`
