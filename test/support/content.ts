/** Runs a statement with rights to see everything. */
export type Look = (statement: string) => Promise<{ rows: Record<string, unknown>[] }>

/** What a table holds: how many rows, and a digest over all of them. */
export interface TableContent {
  rows: number
  digest: string
}

/** What every table of the tool holds, by table. Partitions count as their parent. */
export async function contentOf(look: Look): Promise<Record<string, TableContent>> {
  const { rows: tables } = await look(
    `select relname as name from pg_class
     where relnamespace = to_regnamespace('cleverctl') and relkind in ('r', 'p') and not relispartition
     order by relname`,
  )
  if (tables.length === 0) return {}
  const parts = tables.map(
    ({ name }) =>
      `select '${String(name)}' as name, count(*)::integer as rows,
         coalesce(md5(string_agg(each::text, '|' order by each::text)), '') as digest
       from cleverctl."${String(name)}" as each`,
  )
  const { rows } = await look(parts.join(' union all '))
  return Object.fromEntries(
    rows.map(({ name, rows: count, digest }) => [
      String(name),
      { rows: Number(count), digest: String(digest) },
    ]),
  )
}

/** The tables that do not hold what they held. */
export function changedTables(
  before: Record<string, TableContent>,
  after: Record<string, TableContent>,
): string[] {
  const tables = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...tables].filter((table) => before[table]?.digest !== after[table]?.digest)
}
