import type { Queryable, Transaction } from '../../database/database.js'
import type { CurrentCredential } from '../store.js'
import type { CredentialKind } from '../types.js'
import type { Part, RotationState, Step } from './types.js'

/** A rotation that is not settled. */
export interface OpenRotation {
  id: string
  changeId: string
  step: Step
  parts: Part[]
  sections: string[]
  state: RotationState
  /** Of `add`: how long the old passphrase works on. */
  overlapUntil: Date | null
  deadline: Date
  createdAt: Date
}

/** The rotation of a router that is not settled; undefined when there is none. */
export async function selectOpenRotation(
  database: Queryable,
  routerId: string,
): Promise<OpenRotation | undefined> {
  const { rows } = await database.query<OpenRotation>(
    `select id, change_id as "changeId", step, parts, sections, state, overlap_until as "overlapUntil",
       deadline, created_at as "createdAt"
     from cleverctl.router_rotation where router_id = $1 and settled_at is null`,
    [routerId],
  )
  return rows[0]
}

/** How the latest rotation of a router ended; undefined when there was none. */
export async function selectLatestState(
  database: Queryable,
  routerId: string,
): Promise<RotationState | undefined> {
  const { rows } = await database.query<{ state: RotationState }>(
    `select state from cleverctl.router_rotation where router_id = $1 and settled_at is not null
     order by id desc limit 1`,
    [routerId],
  )
  return rows[0]?.state
}

/** Writes a rotation down. @returns its id */
export async function insertRotation(
  transaction: Transaction,
  rotation: Omit<OpenRotation, 'id' | 'state'> & { routerId: string },
): Promise<string> {
  const { rows } = await transaction.query<{ id: string }>(
    `insert into cleverctl.router_rotation
       (change_id, router_id, step, parts, sections, state, overlap_until, deadline, created_at)
     values ($1, $2, $3, $4, $5, 'STAGED', $6, $7, $8) returning id`,
    [
      rotation.changeId,
      rotation.routerId,
      rotation.step,
      rotation.parts,
      rotation.sections,
      rotation.overlapUntil,
      rotation.deadline,
      rotation.createdAt,
    ],
  )
  return rows[0]?.id ?? ''
}

/** Adds a new secret that is not in force. @returns its version; undefined when the fleet has this secret already */
export async function insertStaged(
  transaction: Transaction,
  credential: {
    routerId: string
    rotationId: string
    credentialId: string
    kind: CredentialKind
    name: string
    digest: Buffer
    sealed: Buffer
    at: Date
  },
): Promise<number | undefined> {
  const { rows } = await transaction.query<{ version: number }>(
    `insert into cleverctl.router_credential (credential_id, router_id, rotation_id, kind, version, state, origin,
       name, digest, sealed, created_at)
     select $1, $2, $3, $4, coalesce(max(version), 0) + 1, 'STAGED', 'generated', $5, $6, $7, $8
     from cleverctl.router_credential where router_id = $2 and kind = $4
     on conflict (digest) where origin = 'generated' do nothing
     returning version`,
    [
      credential.credentialId,
      credential.routerId,
      credential.rotationId,
      credential.kind,
      credential.name,
      credential.digest,
      credential.sealed,
      credential.at,
    ],
  )
  return rows[0]?.version
}

/** Whether a Wi-Fi of the fleet has or had this name. */
export async function isSsidTaken(database: Queryable, ssid: string): Promise<boolean> {
  const { rows } = await database.query(
    `select from cleverctl.router_credential where kind = 'wifi' and name = $1 limit 1`,
    [ssid],
  )
  return rows.length > 0
}

/** The new secrets of a rotation that is not settled. */
export async function selectStaged(
  database: Queryable,
  rotationId: string,
): Promise<CurrentCredential[]> {
  const { rows } = await database.query<CurrentCredential>(
    `select credential_id as "credentialId", kind, version, name, digest, sealed, created_at as "createdAt"
     from cleverctl.router_credential where rotation_id = $1 order by kind`,
    [rotationId],
  )
  return rows
}

/** Former passphrases that still work. */
export async function selectInGrace(
  database: Queryable,
  routerId: string,
): Promise<(CurrentCredential & { graceUntil: Date })[]> {
  const { rows } = await database.query<CurrentCredential & { graceUntil: Date }>(
    `select credential_id as "credentialId", kind, version, name, digest, sealed,
       created_at as "createdAt", grace_until as "graceUntil"
     from cleverctl.router_credential where router_id = $1 and state = 'GRACE'`,
    [routerId],
  )
  return rows
}

/** Takes an open rotation, and its new secrets, one state further. */
export async function moveRotation(
  database: Queryable,
  id: string,
  state: 'SET' | 'TESTED' | 'UNKNOWN',
): Promise<void> {
  await database.query(
    `with moved as (
       update cleverctl.router_rotation set state = $2 where id = $1 and settled_at is null returning id
     )
     update cleverctl.router_credential set state = $2 where rotation_id = (select id from moved)`,
    [id, state],
  )
}

/** Ends a rotation. @returns whether it was open */
export async function closeRotation(
  transaction: Transaction,
  rotation: { id: string; state: 'CONFIRMED' | 'ROLLED_BACK' | 'FOREIGN'; at: Date },
): Promise<boolean> {
  const { rowCount } = await transaction.query(
    `update cleverctl.router_rotation set state = $2, settled_at = $3
     where id = $1 and settled_at is null`,
    [rotation.id, rotation.state, rotation.at],
  )
  return rowCount === 1
}

/**
 * Puts new secrets in force in place of those that were.
 * @param given.graceUntil a former passphrase works until then; null: it is retired at once
 */
export async function putInForce(
  transaction: Transaction,
  given: {
    routerId: string
    rotationId: string
    kinds: readonly Part[]
    graceUntil: Date | null
    at: Date
  },
): Promise<void> {
  const { routerId, rotationId, kinds, graceUntil, at } = given
  await transaction.query(
    `update cleverctl.router_credential set
       state = case when kind = 'wifi' and $3::timestamptz is not null then 'GRACE' else 'RETIRED' end,
       grace_until = case when kind = 'wifi' then $3::timestamptz end,
       retired_at = case when kind = 'wifi' and $3::timestamptz is not null then null else $4::timestamptz end
     where router_id = $1 and state = 'CURRENT' and kind = any($2)`,
    [routerId, kinds, graceUntil, at],
  )
  await transaction.query(
    `update cleverctl.router_credential set state = 'CURRENT' where rotation_id = $1 and kind = any($2)`,
    [rotationId, kinds],
  )
}

/** Gives up the new secrets of a rotation that are not in force. */
export async function rollBackStaged(
  transaction: Transaction,
  rotationId: string,
  at: Date,
): Promise<void> {
  await transaction.query(
    `update cleverctl.router_credential set state = 'ROLLED_BACK', retired_at = $2
     where rotation_id = $1 and state in ('STAGED', 'SET', 'TESTED', 'UNKNOWN')`,
    [rotationId, at],
  )
}

/** Retires former passphrases. */
export async function retireGrace(
  transaction: Transaction,
  routerId: string,
  at: Date,
): Promise<void> {
  await transaction.query(
    `update cleverctl.router_credential set state = 'RETIRED', grace_until = null, retired_at = $2
     where router_id = $1 and state = 'GRACE'`,
    [routerId, at],
  )
}

/** Notes that a credential was just seen to open a router. */
export async function markVerified(
  transaction: Transaction,
  routerId: string,
  at: Date,
): Promise<void> {
  await transaction.query(
    'update cleverctl.router set verified_at = $2, refusals = 0 where id = $1',
    [routerId, at],
  )
}

/** Serials of the loggers that stand at an installation, some of them, and how many. */
export async function selectLoggers(
  database: Queryable,
  installation: string,
): Promise<{ count: number; serials: string[] }> {
  const { rows } = await database.query<{ count: number; serials: string[] | null }>(
    `select count(*)::integer as count, (array_agg(device.serial order by device.serial))[1:20] as serials
     from cleverctl.active_device as device
     join cleverctl.installation on installation.id = device.installation_id
     where installation.code = $1`,
    [installation],
  )
  return { count: rows[0]?.count ?? 0, serials: rows[0]?.serials ?? [] }
}

/** A former passphrase that works beside the new one, and how many loggers have moved to the new one. */
export interface Overlap {
  until: Date
  loggers: number
  moved: number
  /** Serials of those that have not moved, some of them. */
  waiting: string[]
}

/** The overlap that is open at a router; undefined when there is none. */
export async function selectOverlap(
  database: Queryable,
  routerId: string,
): Promise<Overlap | undefined> {
  const { rows } = await database.query<Overlap>(
    `select grace_until as until, loggers, moved, array(
       select device.serial from cleverctl.active_device as device
       where device.installation_id = overlap.installation_id and not exists (
         select from cleverctl.wifi_move as move
         where move.device_id = device.device_id and move.credential_id = overlap.credential_id)
       order by device.serial limit 20) as waiting
     from cleverctl.router_overlap as overlap where router_id = $1`,
    [routerId],
  )
  return rows[0]
}

/** Whether nobody needs the former passphrase any more: its time is over, or all loggers have moved. */
export function isOver({ until, loggers, moved }: Overlap, now: Date): boolean {
  return until <= now || (loggers > 0 && moved === loggers)
}

/** Notes that a router refused every login that is known for it. */
export async function countRefusal(database: Queryable, routerId: string): Promise<void> {
  await database.query(
    'update cleverctl.router set refusals = least(refusals + 1, 1000) where id = $1',
    [routerId],
  )
}

/** A router that is to be looked after. */
export interface UnsettledRouter {
  installation: string
  /** How often in a row it refused every login. */
  refusals: number
}

/** Routers that have a rotation that is not settled, or a former passphrase that nobody needs. */
export async function selectUnsettled(
  database: Queryable,
  given: { installations: readonly string[]; now: Date },
): Promise<UnsettledRouter[]> {
  const { rows } = await database.query<UnsettledRouter>(
    `select installation.code as installation, router.refusals
     from cleverctl.router join cleverctl.installation on installation.id = router.installation_id
     where router.removed_at is null and (cardinality($1::text[]) = 0 or installation.code = any($1))
       and (exists (select from cleverctl.router_rotation as rotation
              where rotation.router_id = router.id and rotation.settled_at is null)
         or exists (select from cleverctl.router_overlap as overlap
              where overlap.router_id = router.id and (overlap.grace_until <= $2 or overlap.moved = overlap.loggers
                and overlap.loggers > 0)))
     order by installation.code`,
    [given.installations, given.now],
  )
  return rows
}

/** Gives up whatever is open or overlapping at a router: somebody recorded anew what is in force, or removes it. */
export async function abandonRotation(
  transaction: Transaction,
  routerId: string,
  at: Date,
): Promise<void> {
  const open = await selectOpenRotation(transaction, routerId)
  if (open !== undefined) {
    await closeRotation(transaction, { id: open.id, state: 'FOREIGN', at })
    await rollBackStaged(transaction, open.id, at)
  }
  await retireGrace(transaction, routerId, at)
}
