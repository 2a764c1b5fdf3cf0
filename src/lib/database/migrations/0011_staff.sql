-- Who may reach the databases. Everything that an audit of access sees is measured against this list.

-- A member of staff, or a service account: the database roles of a program, for which a member of staff
-- answers. Removed ones stay, so that what they leave behind still has a name. How an entry came to be
-- what it is, the trail tells.
create table cleverctl.account (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('staff', 'service-account')),
  -- The e-mail address of a person, the name of a service account.
  handle text not null,
  -- The name of a person, the purpose of a service account.
  description text not null,
  owner_id bigint references cleverctl.account (id),
  -- From where it may come; without any it may only use the unix socket of a server.
  networks cidr[] not null,
  -- The last day (UTC) of its right to come; null where there is no end.
  valid_until date,
  added_at timestamptz not null,
  removed_at timestamptz,
  unique (kind, handle),
  check ((owner_id is null) = (kind = 'staff'))
);

-- A role of a database server speaks for one account, on all servers.
create table cleverctl.account_role (
  role_name text primary key,
  account_id bigint not null references cleverctl.account (id)
);
create index account_role_account on cleverctl.account_role (account_id);

-- Only the owner of this database changes the list: whoever is measured does not move the measure.
grant select on cleverctl.account, cleverctl.account_role to cleverctl_staff, cleverctl_auditor;
