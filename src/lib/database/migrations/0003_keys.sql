create table cleverctl.api_key (
  id bigint generated always as identity primary key,
  key_id text collate "C" not null unique check (key_id ~ '^[0-9A-Za-z]{8}$'),
  installation_id bigint not null references cleverctl.installation,
  version integer not null,
  -- EXPIRED is never stored: it follows from expires_at and the clock; so does the end of a grace.
  state text not null check (state in ('PENDING', 'CURRENT', 'GRACE', 'RETIRED', 'REVOKED')),
  digest bytea not null check (octet_length(digest) = 32),
  sealed bytea, -- the key itself, only while devices still have to be given it
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  grace_until timestamptz,
  retired_at timestamptz,
  revoked_at timestamptz,
  revoke_reason text,
  first_used_at timestamptz,
  last_used_at timestamptz,
  last_used_address inet,
  use_count bigint not null default 0,
  unique (installation_id, version),
  check ((state = 'GRACE') = (grace_until is not null and retired_at is null and revoked_at is null)),
  check ((state = 'RETIRED') = (retired_at is not null and revoked_at is null)),
  check ((state = 'REVOKED') = (revoked_at is not null)),
  check ((revoked_at is null) = (revoke_reason is null))
);
create unique index api_key_one_current on cleverctl.api_key (installation_id) where state = 'CURRENT';
create unique index api_key_one_pending on cleverctl.api_key (installation_id) where state = 'PENDING';

-- NEXT is published before it signs; VERIFY signs no more and is kept until its last token died.
create table cleverctl.signing_key (
  kid text collate "C" primary key,
  state text not null check (state in ('NEXT', 'ACTIVE', 'VERIFY', 'REVOKED', 'RETIRED')),
  algorithm text not null check (algorithm = 'ES256'),
  public_jwk jsonb not null,
  sealed_private bytea, -- erased when the key will sign no more
  created_at timestamptz not null default now(),
  activated_at timestamptz,
  verify_until timestamptz,
  revoked_at timestamptz,
  check ((state in ('NEXT', 'ACTIVE')) = (sealed_private is not null)),
  check (state <> 'VERIFY' or verify_until is not null),
  check ((state = 'REVOKED') = (revoked_at is not null))
);
create unique index signing_key_one_active on cleverctl.signing_key (state) where state in ('ACTIVE', 'NEXT');

grant select, insert, update on cleverctl.api_key, cleverctl.signing_key to cleverctl_staff;
grant select (id, key_id, installation_id, version, state, digest, created_at, expires_at, grace_until, retired_at, revoked_at)
  on cleverctl.api_key to cleverctl_gate;
grant select (first_used_at, last_used_at, use_count) on cleverctl.api_key to cleverctl_gate;
grant update (first_used_at, last_used_at, last_used_address, use_count) on cleverctl.api_key to cleverctl_gate;
grant select on cleverctl.signing_key to cleverctl_gate;
grant select (id, key_id, installation_id, version, state, created_at, expires_at, grace_until, retired_at,
  revoked_at, revoke_reason, first_used_at, last_used_at, last_used_address, use_count)
  on cleverctl.api_key to cleverctl_auditor;
grant select (kid, state, algorithm, public_jwk, created_at, activated_at, verify_until, revoked_at)
  on cleverctl.signing_key to cleverctl_auditor;
