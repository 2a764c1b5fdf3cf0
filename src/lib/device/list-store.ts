import type { Queryable } from '../database/database.js'
import type { DeviceState } from './types.js'

/** A device as a list shows it, with the place where it stands. */
export interface DeviceListRow {
  serial: string
  model: string
  batch: string
  manufacturedAt: Date
  state: DeviceState
  installation: string | null
  installedAt: Date | null
  revokedAt: Date | null
}

const STANDS = `exists (
    select from cleverctl.placement
    where placement.device_id = device.id and upper_inf(placement.during)
  )`
const STOOD = 'exists (select from cleverctl.placement where placement.device_id = device.id)'

/** SQL for each state. */
const IN_STATE: Record<DeviceState, string> = {
  manufactured: `device.revoked_at is null and not ${STOOD}`,
  installed: `device.revoked_at is null and ${STANDS}`,
  removed: `device.revoked_at is null and ${STOOD} and not ${STANDS}`,
  revoked: 'device.revoked_at is not null',
}

/** A page of devices by serial. */
export async function selectDevicePage(
  database: Queryable,
  page: {
    installation: string | undefined
    batch: string | undefined
    model: string | undefined
    state: DeviceState | undefined
    serialPrefix: string | undefined
    after: string | undefined
    limit: number
  },
): Promise<DeviceListRow[]> {
  const values: unknown[] = [page.limit]
  const conditions: string[] = []
  const where = (value: unknown, condition: (placeholder: string) => string): void => {
    if (value === undefined) return
    values.push(value)
    conditions.push(condition(`$${values.length}`))
  }
  where(page.after, (serial) => `device.serial > ${serial}`)
  // In byte order a tilde comes after every character of a serial.
  where(page.serialPrefix, (text) => `device.serial >= ${text} and device.serial < ${text} || '~'`)
  where(page.batch, (batch) => `device.batch = ${batch}`)
  where(page.model, (model) => `device.model = ${model}`)
  where(
    page.installation,
    (code) => `device.id in (
      select placement.device_id from cleverctl.placement
      join cleverctl.installation on installation.id = placement.installation_id
      where installation.code = ${code} and upper_inf(placement.during)
    )`,
  )
  if (page.state) conditions.push(IN_STATE[page.state])
  const { rows } = await database.query<DeviceListRow>(
    `select device.serial, device.model, device.batch, device.manufactured_at as "manufacturedAt",
       case
         when device.revoked_at is not null then 'revoked'
         when latest.is_open then 'installed'
         when latest.is_open is not null then 'removed'
         else 'manufactured'
       end as state,
       installation.code as installation, device.revoked_at as "revokedAt",
       case when latest.is_open then latest.installed_at end as "installedAt"
     from (
       select id, serial, model, batch, manufactured_at, revoked_at from cleverctl.device
       ${conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`}
       order by device.serial limit $1
     ) as device
     left join lateral (
       select placement.installation_id, upper_inf(placement.during) as is_open,
         lower(placement.during) as installed_at
       from cleverctl.placement where placement.device_id = device.id
       order by lower(placement.during) desc limit 1
     ) as latest on true
     left join cleverctl.installation on latest.is_open and installation.id = latest.installation_id
     order by device.serial`,
    values,
  )
  return rows
}

/** Whether an installation has this code. */
export async function hasInstallation(database: Queryable, code: string): Promise<boolean> {
  const { rows } = await database.query('select from cleverctl.installation where code = $1', [
    code,
  ])
  return rows.length > 0
}
