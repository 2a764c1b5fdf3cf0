-- Decoys on database servers: roles and tables that nobody has a reason to use, so that any use is a finding.
create table cleverctl.access_canary (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('role', 'table')),
  -- URL of the primary, without a password; empty: the server of this database.
  server text not null,
  -- Where a table is; empty for a role.
  database_name text not null,
  -- A role, or a table with its schema.
  name text not null,
  -- The comment that it has on the server, by which it is known to be ours. It says nothing of decoys.
  reference text not null unique,
  -- PLANNED is written before it is made, REMOVING before it is dropped.
  state text not null check (state in ('PLANNED', 'PLANTED', 'REMOVING', 'REMOVED')),
  planted_at timestamptz not null,
  removed_at timestamptz,
  check ((kind = 'role') = (database_name = '')),
  check ((state = 'REMOVED') = (removed_at is not null))
);
create unique index access_canary_one on cleverctl.access_canary (kind, server, database_name, name)
  where state <> 'REMOVED';

-- As with the list: only the owner of this database changes it. Whoever audits has to know the decoys.
grant select on cleverctl.access_canary to cleverctl_staff, cleverctl_auditor;
