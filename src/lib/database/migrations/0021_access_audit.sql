-- What audits of access found, so that it can be told how that went over time.
create table cleverctl.access_audit (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  hosts jsonb not null, -- [{"host", "isStandby", "version"}] that were looked at
  not_checked jsonb not null, -- [{"rule", "host", "reason"}]
  critical integer not null check (critical >= 0),
  high integer not null check (high >= 0),
  medium integer not null check (medium >= 0),
  accepted integer not null check (accepted >= 0),
  recorded_by text not null
);
create index access_audit_at on cleverctl.access_audit (at);

-- A finding as long as it stood in one way: as one that counts, or as one that somebody answers for.
create table cleverctl.access_finding (
  id bigint generated always as identity primary key,
  fingerprint bytea not null check (octet_length(fingerprint) = 32), -- of rule, server and subject
  rule text not null,
  severity text not null check (severity in ('critical', 'high', 'medium')),
  host text not null,
  subject text not null,
  who text,
  evidence text not null,
  fix text not null,
  undo text not null,
  is_accepted boolean not null,
  first_seen_at timestamptz not null, -- before it was accepted, too
  since timestamptz not null, -- as it is now
  last_seen_at timestamptz not null,
  ended_at timestamptz,
  ending text check (ending in ('gone', 'accepted', 'counts-again')),
  check (first_seen_at <= since and since <= last_seen_at and last_seen_at <= ended_at),
  check ((ended_at is null) = (ending is null))
);
create unique index access_finding_one on cleverctl.access_finding (fingerprint) where ended_at is null;
create index access_finding_ended on cleverctl.access_finding (ended_at) where ended_at is not null;

-- Records one audit. What it did not ask about stays as it was; what ended two years ago is forgotten.
-- findings: [{"fingerprint" in hex, "rule", "severity", "host", "subject", "who", "evidence", "fix", "undo", "isAccepted"}]
-- unasked: [{"rule", "host"}], rule "all" for a server of which nothing is known
create function cleverctl.access_audit_record(
  at timestamptz, hosts jsonb, findings jsonb, not_checked jsonb, unasked jsonb
) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  -- A caller's clock can be behind the database's, never ahead of it: nothing is forgotten too early.
  moment timestamptz := least(at, clock_timestamp());
  audit bigint;
begin
  lock table cleverctl.access_finding in share row exclusive mode;
  insert into cleverctl.access_audit as made (at, hosts, not_checked, critical, high, medium, accepted, recorded_by)
  select moment, hosts, not_checked,
    count(*) filter (where severity = 'critical' and not "isAccepted"),
    count(*) filter (where severity = 'high' and not "isAccepted"),
    count(*) filter (where severity = 'medium' and not "isAccepted"),
    count(*) filter (where "isAccepted"), session_user
  from jsonb_to_recordset(findings) as seen (severity text, "isAccepted" boolean)
  returning made.id into audit;

  update cleverctl.access_finding as kept set last_seen_at = moment, severity = seen.severity, who = seen.who,
    evidence = seen.evidence, fix = seen.fix, undo = seen.undo
  from jsonb_to_recordset(findings) as seen (fingerprint text, severity text, who text, evidence text, fix text,
    undo text, "isAccepted" boolean)
  where kept.fingerprint = decode(seen.fingerprint, 'hex') and kept.is_accepted = seen."isAccepted"
    and kept.ended_at is null and kept.last_seen_at <= moment;

  update cleverctl.access_finding as kept
  set ended_at = moment, ending = case when seen."isAccepted" then 'accepted' else 'counts-again' end
  from jsonb_to_recordset(findings) as seen (fingerprint text, "isAccepted" boolean)
  where kept.fingerprint = decode(seen.fingerprint, 'hex') and kept.is_accepted <> seen."isAccepted"
    and kept.ended_at is null and kept.last_seen_at <= moment;

  update cleverctl.access_finding as kept set ended_at = moment, ending = 'gone'
  where kept.ended_at is null and kept.last_seen_at < moment
    and kept.host in (select asked.host from jsonb_to_recordset(hosts) as asked (host text))
    and not exists (
      select from jsonb_to_recordset(unasked) as gap (rule text, host text)
      where gap.host = kept.host and gap.rule in (kept.rule, 'all'));

  insert into cleverctl.access_finding (fingerprint, rule, severity, host, subject, who, evidence, fix, undo,
    is_accepted, first_seen_at, since, last_seen_at)
  select distinct on (seen.fingerprint) decode(seen.fingerprint, 'hex'), rule, severity, host, subject, who, evidence,
    fix, undo, "isAccepted", coalesce((
      select min(former.first_seen_at) from cleverctl.access_finding as former
      where former.fingerprint = decode(seen.fingerprint, 'hex') and former.ended_at = moment and former.ending <> 'gone'
    ), moment), moment, moment
  from jsonb_to_recordset(findings) as seen (fingerprint text, rule text, severity text, host text, subject text,
    who text, evidence text, fix text, undo text, "isAccepted" boolean)
  on conflict (fingerprint) where ended_at is null do nothing;

  delete from cleverctl.access_finding where ended_at < moment - interval '2 years';
  delete from cleverctl.access_audit as old where old.at < moment - interval '2 years';
  return audit;
end $$;
revoke all on function cleverctl.access_audit_record(timestamptz, jsonb, jsonb, jsonb, jsonb) from public;
grant execute on function cleverctl.access_audit_record(timestamptz, jsonb, jsonb, jsonb, jsonb) to cleverctl_staff;

grant select on cleverctl.access_audit, cleverctl.access_finding to cleverctl_staff, cleverctl_auditor;
