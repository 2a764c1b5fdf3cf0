-- What a backup held when it was made: every table, counted and digested at one place in the WAL.
create table cleverctl.backup_count (
  stanza text not null,
  label text not null check (octet_length(label) between 1 and 64),
  -- The standby on which it was counted.
  host text not null,
  system_identifier text not null,
  timeline integer not null check (timeline > 0),
  lsn pg_lsn not null,
  tables jsonb not null,
  counted_at timestamptz not null,
  primary key (stanza, label)
);

-- Restores that started a server, and what came of them. Written once, by the transaction that writes the trail.
create table cleverctl.drill (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('backup', 'snapshot')),
  stanza text not null,
  -- Where the copy is kept.
  host text not null,
  -- The label of a backup, the set of a snapshot.
  subject text not null,
  result text not null check (result in ('proven', 'failed', 'not-checked')),
  begun_at timestamptz not null,
  ended_at timestamptz not null,
  check (ended_at >= begun_at)
);
create index drill_by_host on cleverctl.drill (stanza, kind, host, ended_at);

grant select, insert on cleverctl.backup_count, cleverctl.drill to cleverctl_staff;
grant select on cleverctl.backup_count, cleverctl.drill to cleverctl_auditor;
