import type { Database } from '../../src/lib/database/database.js'

/**
 * Installations whose keys are 100 days old, as campaigns of the tests rotate them.
 * @returns their codes: `PREFIX-1` and so on
 */
export async function addPlants(
  database: Database,
  prefix: string,
  count: number,
): Promise<string[]> {
  await database.query(
    `with plant as (
       insert into cleverctl.installation (code, name, timezone, latitude, longitude)
       select $1 || '-' || n, 'Plant', 'Europe/Madrid', 36.84, -2.46 from generate_series(1, $2) as n
       returning id, code
     )
     insert into cleverctl.api_key (key_id, installation_id, version, state, digest, created_at)
     select substr(md5(code), 1, 8), id, 1, 'CURRENT', sha256(code::bytea), now() - interval '100 days'
     from plant`,
    [prefix, count],
  )
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`)
}
