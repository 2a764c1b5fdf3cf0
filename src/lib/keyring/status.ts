import type { KeyringSettings } from '../config/settings.js'
import { ExpectedError, FindingsError } from '../errors.js'
import type { Workspace } from '../workspace.js'
import { opensCheckValue } from './check-value.js'
import { findKeyFile, type FoundKeyFile } from './find.js'
import { dataKeys } from './locked-keys.js'
import { SEALED_COLUMNS } from './sealed-columns.js'
import {
  countSealed,
  readKeyringRecord,
  type KeyringRecord,
  type RegisteredKey,
  type SealedCount,
} from './store.js'

/** One sealing key, as the file and the database know it. */
export interface KeyStanding {
  id: string
  /**
   * `current` seals; `former` is to be retired by an unfinished rotation; `prepared` will seal after
   * the next rotation; `retired` seals nothing; `unknown` sealed rows and is nowhere.
   */
  state: 'current' | 'former' | 'prepared' | 'retired' | 'unknown'
  inFile: boolean
  createdAt?: string
  /** Sealed rows by what they are, e.g. `{"signingKey": 2, "apiKey": 0}`. */
  sealedRows: Record<string, number>
}

/** How the keyring of a database stands. */
export interface KeyringReport {
  provider: 'file' | 'passphrase'
  file: string
  /** False before the first use. */
  isSetUp: boolean
  keys: KeyStanding[]
  /** What keeps the keyring from opening, or rows from being opened. */
  problems: string[]
}

/**
 * Compares the key file with the database, without unlocking the one or changing the other: the
 * bytes of keys behind a passphrase are not checked.
 * Throws FindingsError, with the status as its result, when something is wrong.
 */
export async function keyringStatus(
  { database }: Workspace,
  { keyring: settings }: { keyring: KeyringSettings },
): Promise<KeyringReport> {
  const record = await readKeyringRecord(database)
  const counts = await countSealed(database)
  const problems: string[] = []
  const found = look(settings, record, problems)
  const keys = standings(found, record, counts)
  problems.push(...fileProblems(found, settings, record), ...keys.flatMap(keyProblem))
  const status: KeyringReport = {
    provider: found.file?.provider ?? settings.provider,
    file: found.path,
    isSetUp: record.keys.length > 0,
    keys,
    problems,
  }
  if (problems.length === 0) return status
  throw new FindingsError('keyring-problems', `the keyring needs attention: ${problems[0]}`, {
    result: status,
  })
}

function look(settings: KeyringSettings, record: KeyringRecord, problems: string[]): FoundKeyFile {
  try {
    return findKeyFile(settings, record)
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error
    problems.push(error.message)
    return { path: settings.file, file: undefined }
  }
}

function standings(
  { file }: FoundKeyFile,
  record: KeyringRecord,
  counts: readonly SealedCount[],
): KeyStanding[] {
  const stored = file?.keys ?? []
  const current = record.keys.findLast(({ retiredAt }) => retiredAt === null)
  const ids = new Set([...record.keys, ...stored].map(({ id }) => id))
  for (const { keyId } of counts) ids.add(keyId)
  return [...ids].map((id) => {
    const known = record.keys.find((key) => key.id === id)
    const inFile = stored.find((key) => key.id === id)
    const createdAt = known?.createdAt.toISOString() ?? inFile?.createdAt
    return {
      id,
      state: stateOf(known, current, inFile !== undefined),
      inFile: inFile !== undefined,
      ...(createdAt === undefined ? {} : { createdAt }),
      sealedRows: Object.fromEntries(
        SEALED_COLUMNS.map(({ kind }) => [
          camelCase(kind),
          counts.find((count) => count.kind === kind && count.keyId === id)?.rows ?? 0,
        ]),
      ),
    }
  })
}

function camelCase(kind: string): string {
  return kind.replace(/-(.)/g, (_hyphen, letter: string) => letter.toUpperCase())
}

function stateOf(
  known: RegisteredKey | undefined,
  current: RegisteredKey | undefined,
  isInFile: boolean,
): KeyStanding['state'] {
  if (known === undefined) return isInFile ? 'prepared' : 'unknown'
  if (known === current) return 'current'
  return known.retiredAt === null ? 'former' : 'retired'
}

function fileProblems(
  { path, file }: FoundKeyFile,
  settings: KeyringSettings,
  record: KeyringRecord,
): string[] {
  if (file === undefined) return []
  if (file.provider !== settings.provider) {
    return [`its provider is ${file.provider}, and the profile says ${settings.provider}`]
  }
  if (file.provider === 'passphrase') return []
  return dataKeys(file, path, undefined).flatMap((key) => {
    const known = record.keys.find(({ id }) => id === key.id)
    const isRight = known === undefined || opensCheckValue(key, known.checkValue)
    return isRight ? [] : [`key ${key.id} is not the one that the database knows by this id`]
  })
}

function keyProblem({ id, state, inFile, sealedRows }: KeyStanding): string[] {
  if (inFile) return []
  const rows = Object.values(sealedRows).reduce((sum, count) => sum + count, 0)
  if (rows > 0) return [`key ${id} is not in the file, and ${rows} rows are sealed by it`]
  return state === 'current' ? [`key ${id}, which seals, is not in the file`] : []
}
