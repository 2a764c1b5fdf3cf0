import { stat } from 'node:fs/promises'
import { FailureError, RefusedError } from '../../errors.js'
import { findKeyFile } from '../../keyring/find.js'
import { readKeyringRecord } from '../../keyring/store.js'
import { listSigningKeys } from '../../signing-key/list.js'
import type { Scene } from '../scene.js'
import { selectExpiringKeys, selectKeylessInstallations } from '../store.js'
import { type Check, failure, type Finding, ok, warning } from '../types.js'
import { listed } from '../words.js'

const DAY_MS = 86_400_000
/** Signing keys are rotated by hand or by a timer, at least this often. */
const SIGNING_KEY_AGE_MS = 90 * DAY_MS
const EXPIRY_WARNING_MS = 30 * DAY_MS

/** Checks of the keys that seal, sign and open. */
export const keyChecks: readonly Check[] = [
  { id: 'keyring', title: 'keyring', run: checkKeyring },
  { id: 'keyring-file', title: 'keyring file', run: checkKeyFile },
  { id: 'signing-keys', title: 'signing keys', run: checkSigningKeys },
  { id: 'api-keys', title: 'installations with a key', run: checkKeyless },
  { id: 'api-key-expiry', title: 'expiry of API keys', run: checkExpiry },
]

async function checkKeyring(scene: Scene): Promise<Finding> {
  const workspace = await scene.workspace()
  const record = await readKeyringRecord(workspace.database)
  // Opening would make it.
  if (record.keys.length === 0) return failure('there is no keyring yet', 'cleverctl init')
  try {
    const { currentKeyId } = await workspace.keyring()
    return ok(`opens; key ${currentKeyId} seals`)
  } catch (error) {
    return asFailure(error)
  }
}

async function checkKeyFile(scene: Scene): Promise<Finding> {
  const { database } = await scene.workspace()
  const record = await readKeyringRecord(database)
  const { keyring } = await scene.settings()
  try {
    const { path, file } = findKeyFile(keyring, record)
    if (file === undefined) return failure(`${path} is not there yet`, 'cleverctl init')
    const { mode, uid } = await stat(path)
    if (process.getuid !== undefined && uid !== process.getuid()) {
      return warning(`${path} belongs to another account`, `chown ${process.getuid()} ${path}`)
    }
    return ok(`${path} (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`)
  } catch (error) {
    return asFailure(error)
  }
}

/** What is wrong with a keyring is a failure; a passphrase that nobody gave leaves it unknown. */
function asFailure(error: unknown): Finding {
  if (!(error instanceof RefusedError || error instanceof FailureError)) throw error
  return failure(error.message, error.suggestions[0] ?? 'cleverctl keyring status')
}

async function checkSigningKeys(scene: Scene): Promise<Finding> {
  const workspace = await scene.workspace()
  const { signingKeys } = await listSigningKeys(workspace)
  const [active, next] = (['ACTIVE', 'NEXT'] as const).map((wanted) =>
    signingKeys.find(({ state }) => state === wanted),
  )
  if (!active || !next) {
    const missing = [active ? undefined : 'ACTIVE', next ? undefined : 'NEXT'].filter(Boolean)
    return failure(`no key is ${missing.join(' or ')}: tokens cannot be issued`, 'cleverctl init')
  }
  const age = workspace.clock.now().getTime() - Date.parse(active.activatedAt ?? active.createdAt)
  const detail = `${active.kid} has signed for ${Math.floor(age / DAY_MS)} days, ${next.kid} is next`
  return age > SIGNING_KEY_AGE_MS ? warning(detail, 'cleverctl signing-key rotate') : ok(detail)
}

async function checkKeyless(scene: Scene): Promise<Finding> {
  const { database, clock } = await scene.workspace()
  const { total, codes } = await selectKeylessInstallations(database, clock.now())
  if (total === 0) return ok('every installation has one')
  return warning(
    `without a key that works: ${listed(codes, total)}`,
    `cleverctl api-key issue ${codes[0]} --output key.txt`,
  )
}

async function checkExpiry(scene: Scene): Promise<Finding> {
  const { database, clock } = await scene.workspace()
  const now = clock.now()
  const until = new Date(now.getTime() + EXPIRY_WARNING_MS)
  const { total, codes } = await selectExpiringKeys(database, { now, until })
  if (total === 0) return ok('none within 30 days')
  return warning(
    `within 30 days: ${listed(codes, total)}`,
    `cleverctl api-key rotate ${codes[0]} --grace 24h --output key2.txt`,
  )
}
