-- Grants whose login proves itself by a client certificate, and the authority that signs these.

create table cleverctl.access_ca (
  id text collate "C" primary key check (id ~ '^[0-9A-Za-z]{8}$'),
  certificate text not null, -- PEM
  -- PEM, revokes nothing: what a server is set up with, because it takes no empty file.
  revocation_list text not null,
  sealed bytea, -- the private key; erased when another authority takes its place
  created_at timestamptz not null,
  replaced_at timestamptz,
  check ((sealed is null) = (replaced_at is not null))
);
create unique index access_ca_one on cleverctl.access_ca ((replaced_at is null)) where replaced_at is null;
create trigger refuse_retired_key before insert or update of sealed on cleverctl.access_ca
  for each row when (new.sealed is not null)
  execute function cleverctl.refuse_retired_key('sealed');

-- Only the owner of this database makes one. Staff rotate the keyring, which seals the key anew.
grant select on cleverctl.access_ca to cleverctl_staff;
grant update (sealed) on cleverctl.access_ca to cleverctl_staff;
grant select (id, certificate, revocation_list, created_at, replaced_at) on cleverctl.access_ca to cleverctl_auditor;

alter table cleverctl.access_grant
  add column method text not null default 'password' check (method in ('password', 'certificate')),
  -- PEM, signed when the grant is put in force. It is no secret.
  add column certificate text,
  add check (certificate is null or method = 'certificate'),
  add check (method = 'password' or state <> 'ACTIVE' or certificate is not null);
comment on column cleverctl.access_grant.verifier is
  'what the secret is known by: SCRAM-SHA-256 of a password, the public key (SPKI) of a certificate';
grant select (method, certificate) on cleverctl.access_grant to cleverctl_staff, cleverctl_auditor;

create function cleverctl.access_grant_method_stays() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  raise check_violation using message = 'what was asked for stays', constraint = 'access_grant_stays';
end $$;
create trigger access_grant_method_stays before update on cleverctl.access_grant
  for each row when (new.method <> old.method or new.certificate is distinct from old.certificate and old.certificate is not null)
  execute function cleverctl.access_grant_method_stays();
revoke all on function cleverctl.access_grant_method_stays() from public;
