import type { Queryable, Transaction } from '../../database/database.js'
import type { CurrentCredential } from '../store.js'

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
