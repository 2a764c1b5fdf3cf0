import type { Queryable } from '../../database/database.js'
import type { NotChecked, Severity } from '../audit/types.js'
import { STEPS, type Period } from './period.js'
import type { AuditedServer, FindingsAt, OpenFinding } from './types.js'

/** How many findings were open at the end of each step. */
export async function selectOverTime(
  database: Queryable,
  { since, until, step }: Period,
): Promise<FindingsAt[]> {
  const { rows } = await database.query<
    { from: string; isKnown: boolean } & Record<Severity | 'accepted', number>
  >(
    `with step as (${STEPS})
     select first_day as "from", (select min(at) from cleverctl.access_audit) <= ends_at as "isKnown",
       count(*) filter (where severity = 'critical' and not is_accepted)::integer as critical,
       count(*) filter (where severity = 'high' and not is_accepted)::integer as high,
       count(*) filter (where severity = 'medium' and not is_accepted)::integer as medium,
       count(*) filter (where is_accepted)::integer as accepted
     from step left join cleverctl.access_finding as finding
       on finding.since <= ends_at and (ended_at is null or ended_at > ends_at)
     group by first_day, ends_at order by first_day`,
    [since, until, step],
  )
  return rows.map(({ from, isKnown, ...open }) => ({ from, open: isKnown ? open : null }))
}

/** All findings that stand and for which nobody answers, the gravest first, then the oldest. */
export async function selectOpenFindings(database: Queryable): Promise<OpenFinding[]> {
  const { rows } = await database.query<
    Omit<OpenFinding, 'firstSeenAt' | 'lastSeenAt'> & { firstSeenAt: Date; lastSeenAt: Date }
  >(
    `select rule, severity, host, subject, who, evidence, fix, undo, first_seen_at as "firstSeenAt",
       last_seen_at as "lastSeenAt"
     from cleverctl.access_finding where ended_at is null and not is_accepted
     order by array_position(array['critical', 'high', 'medium'], severity), first_seen_at, id`,
  )
  return rows.map(({ firstSeenAt, lastSeenAt, ...finding }) => ({
    ...finding,
    firstSeenAt: firstSeenAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
  }))
}

/** How many audits there were in a period, and how many findings went away. */
export async function countAudits(
  database: Queryable,
  { since, until }: Period,
): Promise<{ audits: number; gone: number }> {
  const { rows } = await database.query<{ audits: number; gone: number }>(
    `select (select count(*)::integer from cleverctl.access_audit where at between $1 and $2) as audits,
       (select count(*)::integer from cleverctl.access_finding
        where ending = 'gone' and not is_accepted and ended_at between $1 and $2) as gone`,
    [since, until],
  )
  const [row] = rows
  if (row === undefined) throw new TypeError('a select that always gives a row gave none')
  return row
}

/** The last audit that looked at each server. */
export async function selectServers(database: Queryable): Promise<AuditedServer[]> {
  const { rows } = await database.query<Omit<AuditedServer, 'auditedAt'> & { auditedAt: Date }>(
    `select distinct on (server.host) server.host, server."isStandby", server.version, at as "auditedAt",
       recorded_by as "recordedBy"
     from cleverctl.access_audit,
       jsonb_to_recordset(hosts) as server (host text, "isStandby" boolean, version integer)
     order by server.host, at desc, id desc`,
  )
  return rows.map((row) => ({ ...row, auditedAt: row.auditedAt.toISOString() }))
}

/** What the last audit of each server could not check, out of reach or not. */
export async function selectNotChecked(database: Queryable): Promise<NotChecked[]> {
  const { rows } = await database.query<NotChecked>(
    `with named as (
       select audit.id, at, server.host from cleverctl.access_audit as audit,
         jsonb_to_recordset(hosts || not_checked) as server (host text)
     ), last as (
       select distinct on (host) id, host from named order by host, at desc, id desc
     )
     select gap.rule, gap.host, gap.reason from last
     join cleverctl.access_audit as audit using (id),
       jsonb_to_recordset(audit.not_checked) as gap (rule text, host text, reason text)
     where gap.host = last.host order by gap.host, gap.rule, gap.reason`,
  )
  return rows
}
