create table cleverctl.installation (
  id bigint generated always as identity primary key,
  code text collate "C" not null unique check (code ~ '^[a-z0-9][a-z0-9-]{1,62}$'),
  name text not null check (length(name) between 1 and 200),
  timezone text not null,
  latitude double precision not null check (latitude between -90 and 90),
  longitude double precision not null check (longitude between -180 and 180),
  -- A token carries the epochs of its installation and its device; raising one ends all of them.
  token_epoch integer not null default 0,
  created_at timestamptz not null default now(),
  retired_at timestamptz
);

-- Serials are parsed by the tool (lib/device/types.ts); a regular expression here would cost a
-- tenth of a bulk import. No index on the digest: devices are looked up by serial, and a second
-- unique index of random bytes costs three quarters of an import's speed.
create table cleverctl.device (
  id bigint generated always as identity primary key,
  serial text collate "C" not null unique check (octet_length(serial) between 3 and 64),
  model text not null,
  batch text not null,
  manufactured_at timestamptz not null,
  secret_sha256 bytea not null check (octet_length(secret_sha256) = 32),
  -- After rotate-secret --grace the former secret goes on working until that moment.
  previous_secret_sha256 bytea check (octet_length(previous_secret_sha256) = 32),
  previous_secret_until timestamptz,
  token_epoch integer not null default 0,
  registered_at timestamptz not null default now(),
  revoked_at timestamptz,
  revoke_reason text,
  check ((previous_secret_sha256 is null) = (previous_secret_until is null)),
  check ((revoked_at is null) = (revoke_reason is null))
);

-- One row a committed import. By the secrets file's digest an interrupted import knows, when it is
-- given again, whether the file left on the disk belongs to devices that exist.
create table cleverctl.device_import (
  id bigint generated always as identity primary key,
  secrets_sha256 bytea not null unique check (octet_length(secrets_sha256) = 32),
  imported bigint not null,
  unchanged bigint not null,
  rejected bigint not null,
  committed_at timestamptz not null default now()
);

create table cleverctl.installer (
  id bigint generated always as identity primary key,
  email text not null,
  name text not null,
  password_hash text not null, -- argon2id, encoded with its own parameters and salt
  failed_attempts integer not null default 0,
  locked_until timestamptz,
  token_epoch integer not null default 0,
  created_at timestamptz not null default now(),
  disabled_at timestamptz
);
create unique index installer_email on cleverctl.installer (lower(email));

create table cleverctl.installer_assignment (
  installer_id bigint not null references cleverctl.installer,
  installation_id bigint not null references cleverctl.installation,
  assigned_at timestamptz not null default now(),
  primary key (installer_id, installation_id)
);
create index installer_assignment_installation on cleverctl.installer_assignment (installation_id);

-- A device stands at one installation at a time. The exclusion is written with two range types
-- (a one-number range is equality), so it needs no extension.
create table cleverctl.placement (
  id bigint generated always as identity primary key,
  device_id bigint not null references cleverctl.device,
  installation_id bigint not null references cleverctl.installation,
  installer_id bigint not null references cleverctl.installer,
  during tstzrange not null check (not isempty(during) and not lower_inf(during)),
  position jsonb,
  recorded_at timestamptz not null default now(),
  removed_by text, -- `installer:EMAIL` or `staff:OSUSER`, once the range is closed
  constraint placement_one_place_at_a_time
    exclude using gist (int8range(device_id, device_id, '[]') with &&, during with &&)
);
create index placement_device on cleverctl.placement (device_id, lower(during) desc);
create index placement_installation_open on cleverctl.placement (installation_id) where upper_inf(during);

grant select, insert, update on cleverctl.installation, cleverctl.device, cleverctl.installer
  to cleverctl_staff;
grant select, insert on cleverctl.device_import to cleverctl_staff;
grant select, insert, delete on cleverctl.installer_assignment to cleverctl_staff;
grant select, update on cleverctl.placement to cleverctl_staff;

grant select (id, code, token_epoch, retired_at) on cleverctl.installation to cleverctl_gate;
grant select (id, serial, manufactured_at, secret_sha256, previous_secret_sha256, previous_secret_until, token_epoch, revoked_at)
  on cleverctl.device to cleverctl_gate;
grant select (id, email, password_hash, failed_attempts, locked_until, token_epoch, disabled_at)
  on cleverctl.installer to cleverctl_gate;
grant update (password_hash, failed_attempts, locked_until) on cleverctl.installer to cleverctl_gate;
grant select on cleverctl.installer_assignment to cleverctl_gate;
grant select, insert on cleverctl.placement to cleverctl_gate;
grant update (during, removed_by) on cleverctl.placement to cleverctl_gate;

grant select on cleverctl.installation, cleverctl.device_import, cleverctl.installer_assignment,
  cleverctl.placement to cleverctl_auditor;
grant select (id, serial, model, batch, manufactured_at, previous_secret_until, token_epoch, registered_at,
  revoked_at, revoke_reason) on cleverctl.device to cleverctl_auditor;
grant select (id, email, name, failed_attempts, locked_until, token_epoch, created_at, disabled_at)
  on cleverctl.installer to cleverctl_auditor;
