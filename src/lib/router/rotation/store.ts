import type { Queryable, Transaction } from '../../database/database.js'
import { rollBackStaged } from './credential-store.js'
import { retireGrace } from './overlap-store.js'
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
