-- Changes of a router's secrets, each written down before its first byte leaves.
create table cleverctl.router_rotation (
  id bigint generated always as identity primary key,
  -- Its name on the router.
  change_id text collate "C" not null unique check (change_id ~ '^[0-9A-Za-z]{12}$'),
  router_id bigint not null references cleverctl.router,
  -- replace: old for new at once. add: the new passphrase beside the old. retire: the old one of `add` goes.
  step text not null check (step in ('replace', 'add', 'retire')),
  parts text[] not null check (cardinality(parts) > 0 and parts <@ array['admin', 'wifi']),
  -- The router's sections of the Wi-Fi that are changed.
  sections text[] not null,
  state text not null
    check (state in ('STAGED', 'SET', 'TESTED', 'UNKNOWN', 'CONFIRMED', 'ROLLED_BACK', 'FOREIGN')),
  -- Of `add`: how long the old passphrase works on.
  overlap_until timestamptz,
  -- When the router goes back by itself, at the latest.
  deadline timestamptz not null,
  created_at timestamptz not null,
  settled_at timestamptz,
  check ((step = 'add') = (overlap_until is not null)),
  check ((state in ('CONFIRMED', 'ROLLED_BACK', 'FOREIGN')) = (settled_at is not null))
);
create unique index router_rotation_one_open on cleverctl.router_rotation (router_id) where settled_at is null;

alter table cleverctl.router_credential
  add column rotation_id bigint references cleverctl.router_rotation,
  -- A former passphrase works beside the new one until then, at the latest.
  add column grace_until timestamptz;
create index router_credential_rotation on cleverctl.router_credential (rotation_id) where rotation_id is not null;

grant select, insert, update on cleverctl.router_rotation to cleverctl_staff;
grant select on cleverctl.router_rotation to cleverctl_auditor;
grant select (rotation_id, grace_until) on cleverctl.router_credential to cleverctl_auditor;
