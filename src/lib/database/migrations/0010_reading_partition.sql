-- Makes the partition of one month (UTC). Runs with its owner's rights: a gate may not create tables.
--
-- `create table … partition of` would lock the readings against everybody: while a dump reads them, it would
-- wait for the dump, and every gate for it. Attaching a table that is ready waits for neither.
create or replace function cleverctl.reading_ensure_partition(moment timestamptz) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  first_day date := date_trunc('month', moment at time zone 'UTC')::date;
  partition text := 'reading_' || to_char(first_day, 'YYYY_MM');
begin
  -- The bounds on `moment` are the bounds on how many tables a caller can make.
  if moment < now() - interval '2 years' or moment > now() + interval '2 months' then
    raise exception 'no partition for readings so far from now' using errcode = 'datetime_field_overflow';
  end if;
  if cleverctl.reading_has_partition(partition) then
    return partition;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('cleverctl.reading_ensure_partition', 0));
  if cleverctl.reading_has_partition(partition) then
    return partition;
  end if;
  -- A table of that name was detached: its month was taken out, and is not begun anew beside it.
  if to_regclass('cleverctl.' || partition) is not null then
    raise exception 'the readings of that month were taken out'
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  execute format('create table cleverctl.%I (like cleverctl.reading including all)', partition);
  execute format(
    'alter table cleverctl.reading attach partition cleverctl.%I for values from (%L) to (%L)',
    partition, first_day::text || ' 00:00:00+00', (first_day + interval '1 month')::date::text || ' 00:00:00+00');
  return partition;
end $$;

-- Whether a month's table is one that readings go into: there, and not being taken out.
create function cleverctl.reading_has_partition(partition text) returns boolean
language sql volatile set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_inherits
    where inhparent = 'cleverctl.reading'::regclass and inhrelid = to_regclass('cleverctl.' || partition)
      and not inhdetachpending
  )
$$;
revoke all on function cleverctl.reading_has_partition(text) from public;
