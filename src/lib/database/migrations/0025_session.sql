-- The ledger of sessions: who was in, by the logs of the database servers. Rows are only ever added, each row's hash
-- covering the row before it. What is learned of a session later is a further row; the last one of it counts.
create table cleverctl.session (
  seq bigint primary key,
  recorded_at timestamptz not null,
  recorded_by text not null,
  server text not null,
  session_id text not null, -- PostgreSQL's; where the log has none, process id and start
  started_at timestamptz not null,
  ended_at timestamptz,
  outcome text not null check (outcome in ('probe', 'open', 'refused', 'ended')),
  who text, -- handle of the list as it was then, or nobody; null: nobody got in
  role_name text,
  database_name text,
  application text,
  method text,
  rule text,
  address text,
  tls text,
  is_replication boolean not null,
  failure_code text,
  failure_reason text,
  flags text[] not null,
  log text not null, -- where it was read
  previous_hash bytea not null check (octet_length(previous_hash) = 32),
  hash bytea not null check (octet_length(hash) = 32),
  last_at timestamptz not null generated always as (
    case when outcome = 'open' then 'infinity'::timestamptz else greatest(started_at, ended_at) end) stored
);
create index session_of on cleverctl.session (server, session_id, seq);
create index session_last on cleverctl.session (last_at);
create index session_role on cleverctl.session (role_name);

create view cleverctl.session_now as
select * from cleverctl.session as told
where not exists (
  select from cleverctl.session as later
  where later.server = told.server and later.session_id = told.session_id and later.seq > told.seq);

-- The end of the chain, and the lock that orders writers.
create table cleverctl.session_head (
  only_row boolean primary key default true check (only_row),
  seq bigint not null,
  hash bytea not null check (octet_length(hash) = 32)
);
insert into cleverctl.session_head (seq, hash) values (0, decode(repeat('00', 32), 'hex'));

-- SHA-256 of a row. `cleverctl access sessions verify` computes the same outside the database.
create function cleverctl.session_hash(entry cleverctl.session) returns bytea
language sql immutable parallel safe set search_path = pg_catalog
return sha256(convert_to(
  cleverctl.trail_field(entry.seq::text)
  || cleverctl.trail_field((extract(epoch from entry.recorded_at) * 1000000)::bigint::text)
  || cleverctl.trail_field(entry.recorded_by)
  || cleverctl.trail_field(entry.server)
  || cleverctl.trail_field(entry.session_id)
  || cleverctl.trail_field((extract(epoch from entry.started_at) * 1000000)::bigint::text)
  || cleverctl.trail_field((extract(epoch from entry.ended_at) * 1000000)::bigint::text)
  || cleverctl.trail_field(entry.outcome)
  || cleverctl.trail_field(entry.who)
  || cleverctl.trail_field(entry.role_name)
  || cleverctl.trail_field(entry.database_name)
  || cleverctl.trail_field(entry.application)
  || cleverctl.trail_field(entry.method)
  || cleverctl.trail_field(entry.rule)
  || cleverctl.trail_field(entry.address)
  || cleverctl.trail_field(entry.tls)
  || cleverctl.trail_field(entry.is_replication::text)
  || cleverctl.trail_field(entry.failure_code)
  || cleverctl.trail_field(entry.failure_reason)
  || cleverctl.trail_field(to_json(entry.flags)::text)
  || cleverctl.trail_field(entry.log)
  || cleverctl.trail_field(encode(entry.previous_hash, 'hex')), 'UTF8'));

-- The only way to write the ledger. A session is written again only when it is known to have gone on, or when more
-- stands out; what once stood out still does. So the same log read twice adds nothing.
-- sessions: [{"server", "id", "start", "end", "outcome", "who", "role", "database", "application", "method", "rule",
-- "address", "tls", "replication", "failure": {"code", "reason"}, "flags", "log"}]
create function cleverctl.session_append(sessions jsonb) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  stages constant text[] := array['probe', 'open', 'refused', 'ended'];
  told jsonb;
  former cleverctl.session;
  entry cleverctl.session;
  head cleverctl.session_head;
  added bigint := 0;
begin
  select * into strict head from cleverctl.session_head for update;
  for told in select value from jsonb_array_elements(sessions) loop
    entry := null;
    entry.server := told ->> 'server';
    entry.session_id := told ->> 'id';
    entry.started_at := told ->> 'start';
    entry.ended_at := told ->> 'end';
    entry.outcome := told ->> 'outcome';
    entry.who := told ->> 'who';
    entry.role_name := told ->> 'role';
    entry.database_name := told ->> 'database';
    entry.application := told ->> 'application';
    entry.method := told ->> 'method';
    entry.rule := told ->> 'rule';
    entry.address := told ->> 'address';
    entry.tls := told ->> 'tls';
    entry.is_replication := told ->> 'replication';
    entry.failure_code := told -> 'failure' ->> 'code';
    entry.failure_reason := told -> 'failure' ->> 'reason';
    entry.log := told ->> 'log';
    select array_agg(flag) into entry.flags from jsonb_array_elements_text(told -> 'flags') as flag;
    entry.flags := coalesce(entry.flags, '{}');
    select * into former from cleverctl.session as known
    where known.server = entry.server and known.session_id = entry.session_id
    order by known.seq desc limit 1;
    if former.seq is not null then
      if array_position(stages, entry.outcome) <= array_position(stages, former.outcome) then
        continue when entry.flags <@ former.flags;
        -- It may come from a log that tells less of it: all but the flags stays.
        former.flags := former.flags
          || array(select flag from unnest(entry.flags) as flag where flag <> all (former.flags));
        entry := former;
      else
        entry.flags := former.flags
          || array(select flag from unnest(entry.flags) as flag where flag <> all (former.flags));
      end if;
    end if;
    entry.seq := head.seq + 1;
    entry.recorded_at := clock_timestamp();
    entry.recorded_by := session_user;
    entry.previous_hash := head.hash;
    entry.hash := cleverctl.session_hash(entry);
    insert into cleverctl.session (seq, recorded_at, recorded_by, server, session_id, started_at, ended_at, outcome, who,
      role_name, database_name, application, method, rule, address, tls, is_replication, failure_code, failure_reason,
      flags, log, previous_hash, hash)
    values (entry.seq, entry.recorded_at, entry.recorded_by, entry.server, entry.session_id, entry.started_at,
      entry.ended_at, entry.outcome, entry.who, entry.role_name, entry.database_name, entry.application, entry.method,
      entry.rule, entry.address, entry.tls, entry.is_replication, entry.failure_code, entry.failure_reason, entry.flags,
      entry.log, entry.previous_hash, entry.hash);
    head.seq := entry.seq;
    head.hash := entry.hash;
    added := added + 1;
  end loop;
  update cleverctl.session_head set seq = head.seq, hash = head.hash;
  return added;
end $$;
revoke all on function cleverctl.session_append(jsonb) from public;
grant execute on function cleverctl.session_append(jsonb) to cleverctl_staff;

-- Against accidents of the owner; grants keep everybody else out.
create function cleverctl.session_refuse_change() returns trigger
language plpgsql set search_path = pg_catalog
as $$
begin
  raise exception 'the ledger of sessions is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger session_refuse_change before update or delete or truncate on cleverctl.session
  for each statement execute function cleverctl.session_refuse_change();

grant select on cleverctl.session, cleverctl.session_now, cleverctl.session_head to cleverctl_staff, cleverctl_auditor;
