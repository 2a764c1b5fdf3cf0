-- While a former Wi-Fi passphrase works beside the new one, gates hand the new one to loggers, and loggers say which
-- version they use.
create table cleverctl.wifi_move (
  device_id bigint not null references cleverctl.device,
  credential_id bigint not null references cleverctl.router_credential,
  moved_at timestamptz not null, -- when it was first heard over the new passphrase
  primary key (device_id, credential_id)
);
grant select on cleverctl.wifi_move to cleverctl_staff, cleverctl_auditor;

-- Overlaps that are open, with how many loggers stand there and how many of them have moved.
create view cleverctl.router_overlap as
select router.id as router_id, router.installation_id, successor.id as credential_id, successor.version,
  former.grace_until, count(device.device_id)::integer as loggers, count(move.device_id)::integer as moved
from cleverctl.router
join cleverctl.router_credential as successor
  on successor.router_id = router.id and successor.kind = 'wifi' and successor.state = 'CURRENT'
join cleverctl.router_credential as former
  on former.router_id = router.id and former.kind = 'wifi' and former.state = 'GRACE'
left join cleverctl.active_device as device on device.installation_id = router.installation_id
left join cleverctl.wifi_move as move
  on move.device_id = device.device_id and move.credential_id = successor.id
where router.removed_at is null
group by router.id, successor.id, former.id;
grant select on cleverctl.router_overlap to cleverctl_staff, cleverctl_auditor;

-- The version that loggers of an installation are to move to; null where no overlap is open.
create function cleverctl.wifi_overlap(installation bigint) returns integer
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select successor.version
  from cleverctl.router
  join cleverctl.router_credential as successor
    on successor.router_id = router.id and successor.kind = 'wifi' and successor.state = 'CURRENT'
  where router.installation_id = installation and router.removed_at is null
    and exists (select from cleverctl.router_credential as former
      where former.router_id = router.id and former.kind = 'wifi' and former.state = 'GRACE')
$$;

-- The same with its secret, sealed. A gate gets it by this function alone, and only while an overlap is open.
create function cleverctl.wifi_successor(installation bigint)
returns table (credential_id text, version integer, ssid text, sealed bytea, grace_until timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select successor.credential_id, successor.version, successor.name, successor.sealed, former.grace_until
  from cleverctl.router
  join cleverctl.router_credential as successor
    on successor.router_id = router.id and successor.kind = 'wifi' and successor.state = 'CURRENT'
  join cleverctl.router_credential as former
    on former.router_id = router.id and former.kind = 'wifi' and former.state = 'GRACE'
  where router.installation_id = installation and router.removed_at is null
$$;

-- Writes down devices that say that they use this version of their installation's passphrase.
create function cleverctl.wifi_moved(moves jsonb) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
  insert into cleverctl.wifi_move (device_id, credential_id, moved_at)
  select d, successor.id, least(t, clock_timestamp())
  from jsonb_to_recordset(moves) as sent (d bigint, i bigint, v integer, t timestamptz)
  join cleverctl.router on router.installation_id = i and router.removed_at is null
  join cleverctl.router_credential as successor
    on successor.router_id = router.id and successor.kind = 'wifi' and successor.state = 'CURRENT' and successor.version = v
  order by 1, 2
  on conflict do nothing
$$;

revoke all on function cleverctl.wifi_overlap(bigint), cleverctl.wifi_successor(bigint), cleverctl.wifi_moved(jsonb)
  from public;
grant execute on function cleverctl.wifi_overlap(bigint), cleverctl.wifi_successor(bigint), cleverctl.wifi_moved(jsonb)
  to cleverctl_gate;
-- `gate explain` asks what a gate asks.
grant execute on function cleverctl.wifi_overlap(bigint) to cleverctl_staff;

-- Gates keep the version with the rows of keys: those of the installation are told anew.
create function cleverctl.notify_wifi() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('cleverctl_gate', 'api-key:' || key.key_id)
  from cleverctl.router
  join cleverctl.api_key as key on key.installation_id = router.installation_id
  where router.id = new.router_id and key.state in ('CURRENT', 'GRACE');
  return null;
end $$;
create trigger notify_wifi after update of state on cleverctl.router_credential
  for each row when (new.kind = 'wifi' and new.state is distinct from old.state)
  execute function cleverctl.notify_wifi();
