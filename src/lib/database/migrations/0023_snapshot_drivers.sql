-- Snapshots by ZFS and by the logical volume manager.
alter table cleverctl.host drop constraint host_snapshot_driver_check;
alter table cleverctl.host add constraint host_snapshot_driver_check
  check (snapshot_driver in ('btrfs', 'zfs', 'lvm', 'reflink'));
