-- Repositories of pgBackRest that this tool put into the configuration of the machines. What opens the place in which one
-- lies is on the backup machine alone; the passphrase of what is in it is here as well, and stays when the repository is
-- taken out, for its backups stay.
create table cleverctl.backup_repository (
  id bigint generated always as identity primary key,
  stanza text not null,
  number integer not null check (number between 1 and 256),
  kind text not null check (kind in ('posix', 's3', 'azure', 'gcs')),
  settings jsonb not null, -- where it lies; nothing secret
  passphrase_id text collate "C" not null unique check (passphrase_id ~ '^[0-9A-Za-z]{8}$'),
  sealed bytea not null,
  -- CHANGING and REMOVING are written before the first machine is touched
  state text not null check (state in ('CHANGING', 'ACTIVE', 'REMOVING', 'REMOVED')),
  added_at timestamptz, -- when it was first seen to work on every machine
  changed_at timestamptz not null,
  check (state <> 'ACTIVE' or added_at is not null)
);
create unique index backup_repository_number on cleverctl.backup_repository (stanza, number)
  where state <> 'REMOVED';

create trigger refuse_retired_key before insert or update of sealed on cleverctl.backup_repository
  for each row execute function cleverctl.refuse_retired_key('sealed');

grant select, insert, update on cleverctl.backup_repository to cleverctl_staff;
grant select (id, stanza, number, kind, settings, state, added_at, changed_at) on cleverctl.backup_repository
  to cleverctl_auditor;
