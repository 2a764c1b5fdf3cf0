-- Accepted measurements, by month. Devices are never deleted, so device_id needs no foreign key,
-- whose check would cost a quarter of the gate's speed.
create table cleverctl.reading (
  device_id bigint not null,
  installation_id bigint not null,
  at timestamptz not null,
  "values" jsonb not null,
  received_at timestamptz not null default now(),
  primary key (device_id, at)
) partition by range (at);

-- Makes the partition of one month (UTC). Runs with its owner's rights: a gate may not create tables.
create function cleverctl.reading_ensure_partition(moment timestamptz) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  first_day date := date_trunc('month', moment at time zone 'UTC')::date;
  partition text := 'reading_' || to_char(first_day, 'YYYY_MM');
begin
  -- The bounds on `moment` are the bounds on how many tables a caller can make.
  if moment < now() - interval '2 years' or moment > now() + interval '2 months' then
    raise exception 'no partition for readings so far from now' using errcode = 'datetime_field_overflow';
  end if;
  if to_regclass('cleverctl.' || partition) is null then
    perform pg_advisory_xact_lock(hashtextextended('cleverctl.reading_ensure_partition', 0));
    execute format(
      'create table if not exists cleverctl.%I partition of cleverctl.reading for values from (%L) to (%L)',
      partition, first_day::text || ' 00:00:00+00', (first_day + interval '1 month')::date::text || ' 00:00:00+00');
  end if;
  return partition;
end $$;
revoke all on function cleverctl.reading_ensure_partition(timestamptz) from public;
grant execute on function cleverctl.reading_ensure_partition(timestamptz) to cleverctl_staff, cleverctl_gate;

grant insert on cleverctl.reading to cleverctl_gate;
grant select (device_id, at) on cleverctl.reading to cleverctl_gate;
grant select on cleverctl.reading to cleverctl_staff;
grant select (device_id, installation_id, at, received_at) on cleverctl.reading to cleverctl_auditor;

-- Refused arrivals, counted by hour. The key bounds its growth: an attacker who sends a million bad
-- requests an hour makes one row of each (code, installation, serial), and the gate caps the serials.
create table cleverctl.refusal (
  hour timestamptz not null,
  code text not null,
  requirement smallint not null check (requirement between 1 and 3),
  route text not null,
  installation_id bigint,
  serial text,
  key_id text,
  count bigint not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  last_address inet,
  last_request_id text not null,
  constraint refusal_group unique nulls not distinct (hour, code, route, installation_id, serial, key_id)
);
create index refusal_last_at on cleverctl.refusal (last_at);

grant select, insert, update, delete on cleverctl.refusal to cleverctl_gate;
grant select on cleverctl.refusal to cleverctl_staff, cleverctl_auditor;

-- Gates keep decisions in memory and listen on one channel for what became untrue. The payload is
-- kind:identity; usage counters are left out of the column lists, so an arrival notifies nobody.
create function cleverctl.notify_gate() returns trigger
language plpgsql set search_path = pg_catalog
as $$
declare
  payload text;
begin
  case tg_table_name
    when 'installation' then payload := 'installation:' || new.id;
    when 'device' then payload := 'device:' || new.serial;
    when 'api_key' then payload := 'api-key:' || new.key_id;
    when 'signing_key' then payload := 'signing-key:' || new.kid;
    when 'installer' then payload := 'installer:' || new.id;
    when 'installer_assignment' then payload := 'installer:' || old.installer_id;
    when 'placement' then
      select 'device:' || device.serial into payload from cleverctl.device where device.id = new.device_id;
  end case;
  perform pg_notify('cleverctl_gate', payload);
  return null;
end $$;
create trigger notify_gate after update of code, token_epoch, retired_at on cleverctl.installation
  for each row execute function cleverctl.notify_gate();
create trigger notify_gate after update of secret_sha256, previous_secret_sha256, previous_secret_until,
  token_epoch, revoked_at on cleverctl.device
  for each row execute function cleverctl.notify_gate();
create trigger notify_gate after update of state, digest, expires_at, grace_until, revoked_at on cleverctl.api_key
  for each row execute function cleverctl.notify_gate();
create trigger notify_gate_insert after insert on cleverctl.api_key
  for each row execute function cleverctl.notify_gate();
create trigger notify_gate after insert or update on cleverctl.signing_key
  for each row execute function cleverctl.notify_gate();
create trigger notify_gate after update of token_epoch, disabled_at on cleverctl.installer
  for each row execute function cleverctl.notify_gate();
create trigger notify_gate after delete on cleverctl.installer_assignment
  for each row execute function cleverctl.notify_gate();
create trigger notify_gate after insert or update on cleverctl.placement
  for each row execute function cleverctl.notify_gate();
