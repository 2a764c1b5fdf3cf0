-- The name of the keyring that seals this database. A key file carries it, so that a machine with
-- several databases never takes one's file for another's, and a copy of a database keeps it.
create table cleverctl.keyring (
  only_row boolean primary key default true check (only_row),
  id uuid not null default gen_random_uuid()
);
insert into cleverctl.keyring default values;
grant select on cleverctl.keyring to cleverctl_staff, cleverctl_gate, cleverctl_auditor;

-- A process that opened its keyring before a rotation may still seal with the key that the rotation
-- retired, and which is then removed from the key file: such a value could never be opened again.
-- The shared lock on the key's row makes the rotation wait for whoever is writing at that moment.
create function cleverctl.refuse_retired_key() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  sealed bytea;
  retired timestamptz;
begin
  execute format('select ($1).%I', tg_argv[0]) into sealed using new;
  select key.retired_at into retired from cleverctl.keyring_key as key
  where key.id = encode(substring(sealed from 2 for 8), 'hex') for share;
  if retired is not null then
    raise exception 'sealed by a retired key' using errcode = 'serialization_failure';
  end if;
  return new;
end $$;
create trigger refuse_retired_key before insert or update of sealed_private on cleverctl.signing_key
  for each row when (new.sealed_private is not null)
  execute function cleverctl.refuse_retired_key('sealed_private');
create trigger refuse_retired_key before insert or update of sealed on cleverctl.api_key
  for each row when (new.sealed is not null)
  execute function cleverctl.refuse_retired_key('sealed');
