-- Group roles belong to the whole server, so another database's migration may have made them already,
-- or may be making them at this moment.
do $$
declare
  wanted text;
begin
  foreach wanted in array array['cleverctl_staff', 'cleverctl_gate', 'cleverctl_auditor'] loop
    begin
      if not exists (select from pg_catalog.pg_roles where rolname = wanted) then
        execute format('create role %I nologin', wanted);
      end if;
    exception when duplicate_object or unique_violation then
      null;
    end;
  end loop;
end $$;

grant usage on schema cleverctl to cleverctl_staff, cleverctl_gate, cleverctl_auditor;
grant select on cleverctl.migration to cleverctl_staff, cleverctl_gate, cleverctl_auditor;

-- The trail: what this tool did, one row a step, each row's hash covering the row before it.
create table cleverctl.trail (
  seq bigint primary key,
  at timestamptz not null,
  phase text not null check (phase in ('change', 'intent', 'outcome')),
  action text not null,
  subject text not null,
  database_role text not null,
  os_user text not null,
  host text not null,
  ci_job text,
  details jsonb not null check (jsonb_typeof(details) = 'object'),
  previous_hash bytea not null check (octet_length(previous_hash) = 32),
  hash bytea not null check (octet_length(hash) = 32)
);
create index trail_at on cleverctl.trail (at);

-- The end of the chain. It is the lock that orders writers, and it shows when the last rows are gone.
create table cleverctl.trail_head (
  only_row boolean primary key default true check (only_row),
  seq bigint not null,
  hash bytea not null check (octet_length(hash) = 32)
);
insert into cleverctl.trail_head (seq, hash) values (0, decode(repeat('00', 32), 'hex'));

-- One field of the hashed text: its length in bytes, a colon, the field; a missing one is a minus
-- sign. No two rows give the same text, whatever characters their fields hold.
create function cleverctl.trail_field(field text) returns text
language sql immutable parallel safe set search_path = pg_catalog
return case when field is null then '-' else octet_length(convert_to(field, 'UTF8'))::text || ':' || field end;

-- SHA-256 of a row. `cleverctl trail verify` computes the same outside the database.
create function cleverctl.trail_hash(entry cleverctl.trail) returns bytea
language sql immutable parallel safe set search_path = pg_catalog
return sha256(convert_to(
  cleverctl.trail_field(entry.seq::text)
  || cleverctl.trail_field((extract(epoch from entry.at) * 1000000)::bigint::text)
  || cleverctl.trail_field(entry.phase)
  || cleverctl.trail_field(entry.action)
  || cleverctl.trail_field(entry.subject)
  || cleverctl.trail_field(entry.database_role)
  || cleverctl.trail_field(entry.os_user)
  || cleverctl.trail_field(entry.host)
  || cleverctl.trail_field(entry.ci_job)
  || cleverctl.trail_field(entry.details::text)
  || cleverctl.trail_field(encode(entry.previous_hash, 'hex')), 'UTF8'));

-- The only way to write the trail. It runs with its owner's rights, so the roles that call it need
-- none on the tables; session_user is the role that logged in, whatever SET ROLE says.
create function cleverctl.trail_append(
  phase text, action text, subject text, os_user text, host text, ci_job text, details jsonb
) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  entry cleverctl.trail;
begin
  select head.seq + 1, head.hash into strict entry.seq, entry.previous_hash
  from cleverctl.trail_head as head for update;
  entry.at := clock_timestamp();
  entry.phase := phase;
  entry.action := action;
  entry.subject := subject;
  entry.database_role := session_user;
  entry.os_user := os_user;
  entry.host := host;
  entry.ci_job := ci_job;
  entry.details := details;
  entry.hash := cleverctl.trail_hash(entry);
  insert into cleverctl.trail values (entry.*);
  update cleverctl.trail_head set seq = entry.seq, hash = entry.hash;
  return entry.seq;
end $$;
revoke all on function cleverctl.trail_append(text, text, text, text, text, text, jsonb) from public;
grant execute on function cleverctl.trail_append(text, text, text, text, text, text, jsonb)
  to cleverctl_staff, cleverctl_gate;

-- Against accidents of the owner; grants keep everybody else out.
create function cleverctl.trail_refuse_change() returns trigger
language plpgsql set search_path = pg_catalog
as $$
begin
  raise exception 'the trail is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger trail_refuse_change before update or delete or truncate on cleverctl.trail
  for each statement execute function cleverctl.trail_refuse_change();

grant select on cleverctl.trail, cleverctl.trail_head to cleverctl_staff, cleverctl_auditor;

-- The keys that seal, by id only: which exist, which seals now, and a sealed known value by which a
-- wrong key is recognised before it is used.
create table cleverctl.keyring_key (
  id text primary key,
  check_value bytea not null,
  created_at timestamptz not null default now(),
  retired_at timestamptz
);
grant select on cleverctl.keyring_key to cleverctl_staff, cleverctl_gate, cleverctl_auditor;
grant insert, update on cleverctl.keyring_key to cleverctl_staff;
