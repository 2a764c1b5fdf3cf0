-- Access for a limited time: a login that was made for a person on the servers, and how it ended.
create table cleverctl.access_grant (
  id bigint generated always as identity primary key,
  account_id bigint not null references cleverctl.account (id),
  role_name text not null unique,
  -- URLs of the servers, without passwords; none: the server of this database.
  servers text[] not null,
  databases text[] not null,
  is_read_only boolean not null,
  reason text not null,
  -- What the server is given of the password (SCRAM-SHA-256), so that an interrupted run can go on; erased at the end.
  verifier text,
  -- PLANNED is written before the login is made, ENDING before it is closed.
  state text not null check (state in ('PLANNED', 'ACTIVE', 'ENDING', 'ENDED')),
  ends_at timestamptz not null,
  granted_at timestamptz not null,
  ended_at timestamptz,
  end_reason text check (end_reason in ('expired', 'revoked')),
  check (ends_at > granted_at),
  check ((state = 'ENDED') = (ended_at is not null)),
  check ((state = 'ENDED') = (verifier is null)),
  check ((state in ('ENDING', 'ENDED')) = (end_reason is not null))
);
create unique index access_grant_one_open on cleverctl.access_grant (account_id) where state <> 'ENDED';

-- As with the list: only the owner of this database changes it, and nobody else sees a verifier.
grant select (id, account_id, role_name, servers, databases, is_read_only, reason, state, ends_at, granted_at,
    ended_at, end_reason) on cleverctl.access_grant to cleverctl_staff, cleverctl_auditor;
