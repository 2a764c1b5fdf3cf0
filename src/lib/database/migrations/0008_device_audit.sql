-- What `cleverctl device audit` has to know beside the registry, the placements, the keys and the refusals.

-- From which addresses a device was heard: a device that stands in one place changes its address now and
-- then, one whose secret was copied comes back to a former address again and again. Written by gates, at
-- most every five minutes for each pair; they keep eight addresses of each device.
create table cleverctl.device_address (
  device_id bigint not null,
  -- An IPv4 address, or the /64 network of an IPv6 address.
  address inet not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  arrivals bigint not null,
  -- The last six times at which this address was used again after another of its kind had been.
  returned_at timestamptz[] not null default '{}',
  primary key (device_id, address)
) with (fillfactor = 80); -- most writes change no indexed column: room for them on the same page
create index device_address_returned on cleverctl.device_address (device_id) where returned_at <> '{}';

grant select, insert, update, delete on cleverctl.device_address to cleverctl_gate;
grant select on cleverctl.device_address to cleverctl_staff, cleverctl_auditor;

-- `lead_max_ms` proves a clock that is ahead by one arrival, one that is behind only over a whole day with
-- many: so the day before is kept as well, and how many arrivals with readings each day had.
alter table cleverctl.device_sighting
  add column lead_arrivals bigint not null default 0,
  add column former_lead_day date,
  add column former_lead_max_ms bigint,
  add column former_lead_arrivals bigint not null default 0;

-- Null while the device has the secret of its registration: an import of a million devices writes nothing
-- here.
alter table cleverctl.device add column secret_rotated_at timestamptz;
update cleverctl.device set secret_rotated_at = rotated.at
from (select subject, max(at) as at from cleverctl.trail where action = 'device.rotate-secret' group by subject)
  as rotated
where device.serial = rotated.subject;
grant select (secret_rotated_at) on cleverctl.device to cleverctl_auditor;
