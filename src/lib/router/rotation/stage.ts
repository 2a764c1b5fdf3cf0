import { randomBase62 } from '../../base62.js'
import type { Transaction } from '../../database/database.js'
import { FailureError } from '../../errors.js'
import type { Secret } from '../../secret.js'
import { appendTrail } from '../../trail/append.js'
import type { Workspace } from '../../workspace.js'
import { digester, sealCredential } from '../credential.js'
import { lockRouter } from '../find.js'
import type { RouterRow } from '../store.js'
import { insertStaged, isSsidTaken } from './credential-store.js'
import { generateSecret, generateSsid } from './generate.js'
import { insertRotation, type OpenRotation } from './store.js'
import type { Part, Step } from './types.js'
import type { Wifi } from './wifi.js'

const CHANGE_ID_LENGTH = 12
/** Two equal random secrets do not happen; a broken source of randomness does. */
const MAX_DRAWS = 3

/** A rotation that is written down, with the new secrets in hand. */
export interface StagedRotation {
  rotation: OpenRotation
  password: Secret | undefined
  wifi: Wifi | undefined
  versions: { kind: Part; version: number; name: string }[]
}

/** What a rotation is to do. */
export interface RotationPlan {
  router: RouterRow
  step: Step
  parts: readonly Part[]
  sections: readonly string[]
  /** The Wi-Fi's name afterwards; undefined: a new one. */
  ssid: string | undefined
  overlapMs: number | undefined
  rollbackMs: number
}

/** A name for the change that router and database both use. */
export function newChangeId({ random }: Pick<Workspace, 'random'>): string {
  return randomBase62(random, CHANGE_ID_LENGTH)
}

/**
 * Draws the new secrets, and seals and commits them together with the intent, before a byte of them leaves: whatever
 * happens from here on, the database knows what may be in force.
 */
export async function stageRotation(
  workspace: Workspace,
  changeId: string,
  plan: RotationPlan,
): Promise<StagedRotation> {
  const { database, actor, clock } = workspace
  const { router, step, parts, overlapMs } = plan
  await workspace.keyring()
  const digest = await digester(workspace)
  return database.transaction(async (transaction) => {
    const { id: routerId, username } = await lockRouter(transaction, router.installation)
    const now = clock.now()
    const rotation = {
      changeId,
      step,
      parts: [...parts],
      sections: [...plan.sections],
      overlapUntil: overlapMs === undefined ? null : new Date(now.getTime() + overlapMs),
      deadline: new Date(now.getTime() + plan.rollbackMs),
      createdAt: now,
    }
    const id = await insertRotation(transaction, { ...rotation, routerId })
    const versions: StagedRotation['versions'] = []
    const draw = async (kind: Part, name: string): Promise<Secret> => {
      const row = { routerId, rotationId: id, kind, name, at: now }
      const { secret, version } = await drawSecret(workspace, transaction, { row, digest })
      versions.push({ kind, version, name })
      return secret
    }
    const isNewWifi = parts.includes('wifi') && step !== 'retire'
    const ssid = isNewWifi ? (plan.ssid ?? (await drawSsid(workspace, transaction))) : ''
    const password = parts.includes('admin') ? await draw('admin', username) : undefined
    const wifi = isNewWifi ? { ssid, passphrase: await draw('wifi', ssid) } : undefined
    await appendTrail(transaction, actor, {
      phase: 'intent',
      action: 'router.rotate',
      subject: router.installation,
      details: { change: changeId, step, parts, versions },
    })
    return { rotation: { ...rotation, id, state: 'STAGED' }, password, wifi, versions }
  })
}

async function drawSecret(
  workspace: Workspace,
  transaction: Transaction,
  given: {
    row: { routerId: string; rotationId: string; kind: Part; name: string; at: Date }
    digest: (secret: Secret) => Buffer
  },
): Promise<{ secret: Secret; version: number }> {
  const keyring = await workspace.keyring()
  for (let draws = 0; draws < MAX_DRAWS; draws++) {
    const secret = generateSecret(workspace.random)
    const sealed = sealCredential(keyring, workspace.random, secret)
    const row = { ...given.row, ...sealed, digest: given.digest(secret) }
    const version = await insertStaged(transaction, row)
    if (version !== undefined) return { secret, version }
  }
  throw sameAgain()
}

async function drawSsid(workspace: Workspace, transaction: Transaction): Promise<string> {
  for (let draws = 0; draws < MAX_DRAWS; draws++) {
    const ssid = generateSsid(workspace.random)
    if (!(await isSsidTaken(transaction, ssid))) return ssid
  }
  throw sameAgain()
}

function sameAgain(): FailureError {
  return new FailureError(
    'randomness-broken',
    'random secrets repeat: the randomness of this machine is broken',
  )
}
