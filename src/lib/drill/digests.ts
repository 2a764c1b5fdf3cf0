import { counted } from '../counted.js'

/** One table as it was at one moment. */
export interface TableDigest {
  database: string
  schema: string
  table: string
  rows: number
  /** Sum of the hashes of all rows: it does not depend on their order. */
  digest: string
}

/** How the same values are written everywhere, whatever a server or a database prefers. */
const SAME_TEXT = `
set search_path = pg_catalog;
set datestyle = 'ISO, YMD';
set intervalstyle = 'postgres';
set timezone = 'UTC';
set extra_float_digits = 3;
set bytea_output = 'hex';
set lc_monetary = 'C';
set xmloption = 'content';
`

/** Unlogged and temporary tables are in no backup, and the rows of a foreign one elsewhere. */
const EACH_TABLE = `
select format('select json_build_array(current_database(), %L, %L, count(*), ' ||
    'coalesce(sum(hashtextextended((t.*)::text, 0)), 0)::text) from only %I.%I as t',
  nspname, relname, nspname, relname)
from pg_class join pg_namespace on pg_namespace.oid = relnamespace
where relkind in ('r', 'm') and relpersistence = 'p' and relispopulated and relnatts > 0
  and nspname not in ('pg_catalog', 'information_schema') and nspname !~ '^pg_(toast|temp)'
order by nspname, relname \\gexec
`

/**
 * Statements for psql that count and digest every table of a database in one snapshot.
 * @param onBegun what psql is to do once the snapshot is taken
 */
export function digestStatements(onBegun = ''): string {
  return `${SAME_TEXT}
begin isolation level repeatable read read only;
select from pg_class limit 0;
${onBegun}
${EACH_TABLE}
commit;
`
}

/** Reads the lines that {@link digestStatements} write. */
export function readDigests(lines: readonly string[]): TableDigest[] {
  return lines.map((line) => {
    const [database, schema, table, rows, digest] = JSON.parse(line) as [
      string,
      string,
      string,
      number,
      string,
    ]
    return { database, schema, table, rows, digest }
  })
}

/** What differs between what was counted and what was found, a sentence a table. Pure. */
export function compareDigests(
  expected: readonly TableDigest[],
  found: readonly TableDigest[],
): string[] {
  const nameOf = ({ database, schema, table }: TableDigest) => `${database}: ${schema}.${table}`
  const byName = new Map(found.map((each) => [nameOf(each), each]))
  const faults = expected.flatMap((each) => {
    const name = nameOf(each)
    const now = byName.get(name)
    byName.delete(name)
    if (now === undefined) return [`${name} is missing`]
    if (now.rows !== each.rows)
      return [`${name} has ${counted(now.rows, 'row')} instead of ${each.rows}`]
    return now.digest === each.digest ? [] : [`${name} holds other values`]
  })
  return [...faults, ...[...byName.keys()].map((name) => `${name} was not there`)]
}
