-- The router of an installation: where it listens, by which host key it is known, who logs in.
create table cleverctl.router (
  id bigint generated always as identity primary key,
  installation_id bigint not null references cleverctl.installation,
  driver text not null check (driver in ('openwrt', 'rutos', 'routeros')),
  address text not null check (octet_length(address) between 1 and 253),
  port integer not null check (port between 1 and 65535),
  username text not null check (octet_length(username) between 1 and 64),
  -- By which credential one logs in; with `agent` it is in an engineer's ssh-agent and not here.
  login text not null check (login in ('password', 'identity', 'agent')),
  host_key_type text not null,
  host_key_sha256 bytea not null check (octet_length(host_key_sha256) = 32),
  added_at timestamptz not null,
  verified_at timestamptz, -- when the credential was last seen to open it
  removed_at timestamptz
);
create unique index router_one_an_installation on cleverctl.router (installation_id) where removed_at is null;

-- The hosts on the way to a router, first to last.
create table cleverctl.router_jump (
  router_id bigint not null references cleverctl.router,
  position smallint not null check (position between 1 and 8),
  address text not null check (octet_length(address) between 1 and 253),
  port integer not null check (port between 1 and 65535),
  username text not null check (octet_length(username) between 1 and 64),
  host_key_type text not null,
  host_key_sha256 bytea not null check (octet_length(host_key_sha256) = 32),
  primary key (router_id, position)
);

-- The versioned secrets of a router. A new one is sealed here before the first byte of it leaves.
create table cleverctl.router_credential (
  id bigint generated always as identity primary key,
  credential_id text collate "C" not null unique check (credential_id ~ '^[0-9A-Za-z]{8}$'),
  router_id bigint not null references cleverctl.router,
  kind text not null check (kind in ('admin', 'identity', 'wifi')),
  version integer not null,
  state text not null check (state in ('PLANNED', 'STAGED', 'SET', 'TESTED', 'CURRENT', 'GRACE', 'RETIRED',
    'ROLLED_BACK', 'UNKNOWN', 'REVOKED')),
  -- Whether it was found on the router, or drawn at random by this tool.
  origin text not null check (origin in ('adopted', 'generated')),
  name text not null, -- who logs in with it, or the SSID
  -- HMAC-SHA-256 under the fleet's pepper: people choose passwords that a plain digest would give away.
  digest bytea not null check (octet_length(digest) = 32),
  sealed bytea, -- erased when the router is removed
  created_at timestamptz not null,
  retired_at timestamptz,
  unique (router_id, kind, version),
  check ((state in ('RETIRED', 'ROLLED_BACK', 'REVOKED')) = (retired_at is not null)),
  check (sealed is not null or state in ('PLANNED', 'RETIRED', 'ROLLED_BACK', 'REVOKED'))
);
create unique index router_credential_one_current on cleverctl.router_credential (router_id, kind)
  where state = 'CURRENT';
create unique index router_credential_one_pending on cleverctl.router_credential (router_id, kind)
  where state in ('PLANNED', 'STAGED', 'SET', 'TESTED', 'UNKNOWN');
-- What this tool generates is never the same twice in the fleet; what it found may be.
create unique index router_credential_never_twice on cleverctl.router_credential (digest)
  where origin = 'generated';
create index router_credential_digest on cleverctl.router_credential (digest) where state = 'CURRENT';

-- The key of the digests, one row.
create table cleverctl.router_pepper (
  id text collate "C" primary key,
  sealed bytea not null
);

create trigger refuse_retired_key before insert or update of sealed on cleverctl.router_credential
  for each row when (new.sealed is not null)
  execute function cleverctl.refuse_retired_key('sealed');
create trigger refuse_retired_key before insert or update of sealed on cleverctl.router_pepper
  for each row when (new.sealed is not null)
  execute function cleverctl.refuse_retired_key('sealed');

grant select, insert, update on cleverctl.router, cleverctl.router_credential, cleverctl.router_pepper
  to cleverctl_staff;
grant select, insert, delete on cleverctl.router_jump to cleverctl_staff;
grant select on cleverctl.router, cleverctl.router_jump to cleverctl_auditor;
grant select (id, credential_id, router_id, kind, version, state, origin, name, created_at, retired_at)
  on cleverctl.router_credential to cleverctl_auditor;
