-- Snapshots are made on several hosts at once, as a set. That the snapshots are there say the hosts; here stands
-- which ones were wanted, and what was found when they were made.
create table cleverctl.snapshot_set (
  id bigint generated always as identity primary key,
  name text collate "C" not null unique check (name ~ '^[0-9]{8}-[0-9]{6}(-[a-z0-9-]{1,40})?$'),
  stanza text not null,
  -- open: being made, or a kill interrupted that; leaving: being deleted
  state text not null check (state in ('open', 'whole', 'partial', 'leaving', 'gone')),
  reason text, -- why all were taken and the set is partial all the same
  begun_at timestamptz not null,
  ended_at timestamptz, -- when it was last seen whole, partial or gone
  check ((state = 'open') = (ended_at is null))
);
create index snapshot_set_present on cleverctl.snapshot_set (stanza, begun_at) where state <> 'gone';

create table cleverctl.snapshot (
  set_id bigint not null references cleverctl.snapshot_set,
  host_id bigint not null references cleverctl.host,
  -- failed: it was not seen to be there; something of it may be
  state text not null check (state in ('planned', 'taken', 'failed', 'gone')),
  reason text,
  taken_at timestamptz, -- by the clock of the host
  lsn pg_lsn,
  timeline bigint check (timeline > 0),
  role text check (role in ('primary', 'standby')),
  system_identifier text check (system_identifier ~ '^[0-9]{1,20}$'),
  primary key (set_id, host_id),
  check (state <> 'taken' or num_nonnulls(taken_at, lsn, timeline, role, system_identifier) = 5)
);
create index snapshot_host on cleverctl.snapshot (host_id, taken_at);

grant select, insert, update on cleverctl.snapshot_set, cleverctl.snapshot to cleverctl_staff;
grant select on cleverctl.snapshot_set, cleverctl.snapshot to cleverctl_auditor;
