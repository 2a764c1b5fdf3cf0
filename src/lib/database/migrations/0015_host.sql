-- A machine of the database estate: where it listens, by which host key it is known, who logs in, and what is on
-- it. Who is primary stands nowhere: that is asked of PostgreSQL each time.
create table cleverctl.host (
  id bigint generated always as identity primary key,
  name text collate "C" not null check (name ~ '^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$'),
  role text not null check (role in ('database', 'backup')),
  address text not null check (octet_length(address) between 1 and 253),
  port integer not null check (port between 1 and 65535),
  username text not null check (octet_length(username) between 1 and 64),
  host_key_type text not null,
  host_key_sha256 bytea not null check (octet_length(host_key_sha256) = 32),
  location text check (octet_length(location) between 1 and 100),
  stanza text not null check (stanza ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$'),
  postgresql_port integer check (postgresql_port between 1 and 65535),
  data_directory text,
  snapshot_driver text check (snapshot_driver in ('btrfs', 'reflink')),
  snapshot_directory text,
  -- The private key that opens it; without one it is in an engineer's ssh-agent and not here.
  identity_id text collate "C" unique check (identity_id ~ '^[0-9A-Za-z]{8}$'),
  identity_sha256 bytea check (octet_length(identity_sha256) = 32), -- of the public key
  sealed bytea, -- erased when the host is removed
  added_at timestamptz not null,
  verified_at timestamptz, -- when the login was last seen to work
  removed_at timestamptz,
  check ((role = 'database') = (postgresql_port is not null)),
  check ((role = 'database') = (data_directory is not null)),
  check ((snapshot_driver is null) = (snapshot_directory is null)),
  check (snapshot_driver is null or role = 'database'),
  check ((identity_id is null) = (identity_sha256 is null)),
  check (sealed is null or identity_id is not null),
  check (sealed is not null or identity_id is null or removed_at is not null)
);
create unique index host_name on cleverctl.host (name) where removed_at is null;

create trigger refuse_retired_key before insert or update of sealed on cleverctl.host
  for each row when (new.sealed is not null)
  execute function cleverctl.refuse_retired_key('sealed');

grant select, insert, update on cleverctl.host to cleverctl_staff;
grant select (id, name, role, address, port, username, host_key_type, host_key_sha256, location, stanza,
    postgresql_port, data_directory, snapshot_driver, snapshot_directory, identity_sha256, added_at, verified_at,
    removed_at)
  on cleverctl.host to cleverctl_auditor;
