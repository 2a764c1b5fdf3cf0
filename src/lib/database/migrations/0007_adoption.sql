-- Which device was seen with which key: the proof that a device has taken a new key over, and the last
-- sign of life of each. Written by gates, at most once a minute for each pair, so a fleet that posts
-- costs little. Rows of keys that open the gate no more are history of the device's placements.
create table cleverctl.device_sighting (
  device_id bigint not null,
  api_key_id bigint not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  arrivals bigint not null,
  last_address inet,
  -- The oldest reading that came with this key: data from before the placement shows here.
  oldest_reading_at timestamptz,
  -- By how much the newest reading of an arrival was ahead of the gate's clock, at most, on the day of
  -- `lead_day` (UTC). A logger with a right clock comes close to zero from below.
  lead_day date,
  lead_max_ms bigint,
  primary key (device_id, api_key_id)
) with (fillfactor = 80); -- most writes change no indexed column: room for them on the same page
create index device_sighting_key on cleverctl.device_sighting (api_key_id);

grant select, insert, update on cleverctl.device_sighting to cleverctl_gate;
grant select on cleverctl.device_sighting to cleverctl_staff, cleverctl_auditor;

-- A former key that waits for adoption ends as soon as so many hundredths of the installation's devices
-- were seen with the current key, but not before `adoption_from`; `grace_until` is its end in any case.
alter table cleverctl.api_key
  add column adoption_percent smallint check (adoption_percent between 1 and 100),
  add column adoption_from timestamptz,
  add constraint api_key_adoption check ((adoption_percent is null) = (adoption_from is null));
create index api_key_in_grace on cleverctl.api_key (installation_id) where state = 'GRACE';
create index api_key_sealed on cleverctl.api_key (installation_id) where sealed is not null;

grant select (adoption_percent, adoption_from) on cleverctl.api_key to cleverctl_gate, cleverctl_auditor;

-- The devices that stand at installations now and may send, with the moment at which each was first
-- seen with its installation's current key. Those are the ones a rotation has to wait for.
create view cleverctl.active_device as
select placement.installation_id, device.id as device_id, device.serial, current_key.id as current_key_id,
  sighting.first_at as adopted_at
from cleverctl.placement
join cleverctl.device on device.id = placement.device_id and device.revoked_at is null
left join cleverctl.api_key as current_key
  on current_key.installation_id = placement.installation_id and current_key.state = 'CURRENT'
left join cleverctl.device_sighting as sighting
  on sighting.device_id = device.id and sighting.api_key_id = current_key.id
where upper_inf(placement.during);
grant select on cleverctl.active_device to cleverctl_staff, cleverctl_auditor;

-- The current key of an installation, sealed, while devices still have to be given it. A gate may ask
-- for it by this function alone, and gets nothing where no former key is waiting to be replaced.
create function cleverctl.api_key_successor(installation bigint, at timestamptz)
returns table (key_id text, sealed bytea)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select current_key.key_id, current_key.sealed
  from cleverctl.api_key as current_key
  where current_key.installation_id = installation and current_key.state = 'CURRENT'
    and current_key.sealed is not null and (current_key.expires_at is null or current_key.expires_at > at)
    and exists (
      select from cleverctl.api_key as former
      where former.installation_id = installation and former.state = 'GRACE' and former.grace_until > at
    )
$$;
revoke all on function cleverctl.api_key_successor(bigint, timestamptz) from public;
grant execute on function cleverctl.api_key_successor(bigint, timestamptz) to cleverctl_gate;

-- Brings the keys of installations to where their devices have brought them: a former key whose
-- adoption is complete, or whose deadline has passed, is retired and the trail says why; the sealed copy of
-- the current key is erased when nobody needs it any more. Does nothing where nothing is due, so
-- it may be called at any time and by any number of gates at once.
--
-- `at` is the caller's time; nobody can bring a moment forward by it.
create function cleverctl.api_key_settle(installations bigint[], at timestamptz, os_user text, host text)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  moment timestamptz := least(at, clock_timestamp());
  plant record;
  former record;
  devices bigint;
  adopted bigint;
  settled integer := 0;
begin
  for plant in
    select installation.id, installation.code from cleverctl.installation
    where installation.id = any(installations)
    order by installation.id
    for no key update skip locked
  loop
    select count(*), count(active.adopted_at) into devices, adopted
    from cleverctl.active_device as active where active.installation_id = plant.id;
    for former in
      select key.id, key.key_id, key.grace_until, key.adoption_percent
      from cleverctl.api_key as key
      where key.installation_id = plant.id and key.state = 'GRACE'
        and (key.grace_until <= moment
          or (key.adoption_from <= moment and adopted * 100 >= devices * key.adoption_percent))
      order by key.version
    loop
      update cleverctl.api_key as key set state = 'RETIRED', retired_at = least(former.grace_until, moment)
      where key.id = former.id;
      perform cleverctl.trail_append('change', 'api-key.retire', plant.code, os_user, host, null,
        jsonb_build_object('keyId', former.key_id,
          'because', case when former.grace_until <= moment then 'deadline' else 'adopted' end,
          'adopted', adopted, 'devices', devices));
      settled := settled + 1;
    end loop;
    update cleverctl.api_key as current_key set sealed = null
    where current_key.installation_id = plant.id and current_key.sealed is not null
      and current_key.state <> 'PENDING'
      and (current_key.state <> 'CURRENT' or adopted = devices or not exists (
        select from cleverctl.api_key as waiting
        where waiting.installation_id = plant.id and waiting.state = 'GRACE'));
  end loop;
  return settled;
end $$;
revoke all on function cleverctl.api_key_settle(bigint[], timestamptz, text, text) from public;
grant execute on function cleverctl.api_key_settle(bigint[], timestamptz, text, text)
  to cleverctl_staff, cleverctl_gate;

-- Settles what is due by the clock alone, or because a device left: at most 500 installations at a time,
-- and for one caller at a time. What a gate sees arrive it settles by api_key_settle itself.
create function cleverctl.api_key_settle_due(at timestamptz, os_user text, host text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  if not pg_try_advisory_xact_lock(hashtextextended('cleverctl.api_key_settle_due', 0)) then
    return 0;
  end if;
  return cleverctl.api_key_settle(array(
    select distinct key.installation_id from cleverctl.api_key as key
    where key.state = 'GRACE' and (key.grace_until <= at or key.adoption_from <= at and (
      select count(active.adopted_at) * 100 >= count(*) * key.adoption_percent
      from cleverctl.active_device as active where active.installation_id = key.installation_id))
    limit 500), at, os_user, host);
end $$;
revoke all on function cleverctl.api_key_settle_due(timestamptz, text, text) from public;
grant execute on function cleverctl.api_key_settle_due(timestamptz, text, text) to cleverctl_staff, cleverctl_gate;
