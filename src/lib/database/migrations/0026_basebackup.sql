-- A backup machine on which pg_basebackup makes the backups, in a directory, by a role of the databases. Without a
-- directory pgBackRest makes them.
alter table cleverctl.host
  add column backup_directory text,
  add column replication_role text,
  add constraint host_basebackup_check check (
    (backup_directory is null) = (replication_role is null) and (backup_directory is null or role = 'backup'));

grant select (backup_directory, replication_role) on cleverctl.host to cleverctl_auditor;
