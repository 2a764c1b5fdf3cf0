-- Access that a second member of staff has to approve. Who somebody is, the login says (session_user) and the
-- list: a role of a person. SET ROLE and the rights of an owner change nothing about that.

-- When a grant needs it. Nothing set: never.
create table cleverctl.access_policy (
  only_row boolean primary key default true check (only_row),
  -- Longer than this; null: its length does not matter, zero: every grant.
  longer_than interval,
  is_for_changing boolean not null,
  databases text[] not null,
  -- How long a request waits.
  lapse_after interval not null check (lapse_after between '1 minute' and '7 days'),
  set_at timestamptz
);
insert into cleverctl.access_policy (is_for_changing, databases, lapse_after) values (false, '{}', '1 day');
grant select on cleverctl.access_policy to cleverctl_staff, cleverctl_auditor;

alter table cleverctl.access_grant
  drop constraint access_grant_state_check,
  drop constraint access_grant_end_reason_check,
  add column requested_by bigint references cleverctl.account (id),
  add column requested_as text,
  add column lapses_at timestamptz,
  add column approved_by bigint references cleverctl.account (id),
  add column approved_as text,
  add column approved_at timestamptz,
  -- REQUESTED: nothing is made on any server before somebody else approves.
  add constraint access_grant_state_check
    check (state in ('REQUESTED', 'PLANNED', 'ACTIVE', 'ENDING', 'ENDED')),
  add constraint access_grant_end_reason_check
    check (end_reason in ('expired', 'revoked', 'denied', 'lapsed')),
  add check (num_nulls(requested_by, requested_as, lapses_at) in (0, 3)),
  add check (num_nulls(approved_by, approved_as, approved_at) in (0, 3)),
  add check (requested_by is null or approved_by is not null or state in ('REQUESTED', 'ENDED')),
  add check (state <> 'REQUESTED' or requested_by is not null),
  add constraint access_grant_second_person
    check (approved_by is null or approved_by not in (requested_by, account_id));
grant select (requested_by, requested_as, lapses_at, approved_by, approved_as, approved_at)
  on cleverctl.access_grant to cleverctl_staff, cleverctl_auditor;

-- The member of staff whose role logged in, while that person is on the list; null for everybody else.
create function cleverctl.access_person() returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
return (
  select account.id from cleverctl.account join cleverctl.account_role on account_id = account.id
  where role_name = session_user and kind = 'staff' and removed_at is null
    and (valid_until is null or valid_until >= (now() at time zone 'UTC')::date));

create function cleverctl.access_needs_approval(length interval, is_read_only boolean, names text[])
returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
return (
  select coalesce(length > policy.longer_than, false) or (policy.is_for_changing and not is_read_only)
    or policy.databases && names
  from cleverctl.access_policy as policy);

-- Holds for everybody, the owner as well: who requests and who approves is written here and nowhere else, and
-- what was asked for stays what is granted.
create function cleverctl.access_grant_guard() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set timezone = 'UTC'
as $$
declare
  person bigint;
  moment timestamptz := date_trunc('milliseconds', clock_timestamp());
begin
  if tg_op = 'INSERT' then
    new.requested_by := null; new.requested_as := null; new.lapses_at := null;
    new.approved_by := null; new.approved_as := null; new.approved_at := null;
    if new.state = 'REQUESTED' then
      new.requested_by := cleverctl.access_person();
      if new.requested_by is null then
        raise check_violation using message = 'who asks is no member of staff', constraint = 'access_grant_known_person';
      end if;
      new.requested_as := session_user;
      select moment + lapse_after into strict new.lapses_at from cleverctl.access_policy;
    elsif cleverctl.access_needs_approval(new.ends_at - new.granted_at, new.is_read_only, new.databases) then
      raise check_violation using message = 'a second person has to approve', constraint = 'access_grant_needs_approval';
    end if;
    return new;
  end if;
  if (new.account_id, new.role_name, new.servers, new.databases, new.is_read_only, new.reason, new.granted_at,
      new.ends_at, new.requested_by, new.requested_as, new.lapses_at, new.approved_by, new.approved_as, new.approved_at)
    is distinct from
    (old.account_id, old.role_name, old.servers, old.databases, old.is_read_only, old.reason, old.granted_at,
      old.ends_at, old.requested_by, old.requested_as, old.lapses_at, old.approved_by, old.approved_as, old.approved_at)
    or (new.verifier is distinct from old.verifier and new.verifier is not null)
    or (new.state = 'REQUESTED' and old.state <> 'REQUESTED') then
    raise check_violation using message = 'what was asked for stays', constraint = 'access_grant_stays';
  end if;
  if old.state = 'REQUESTED' and new.state not in ('REQUESTED', 'ENDED') then
    person := cleverctl.access_person();
    if person is null then
      raise check_violation using message = 'who approves is no member of staff', constraint = 'access_grant_known_person';
    elsif person in (old.requested_by, old.account_id) then
      raise check_violation using message = 'somebody else has to approve', constraint = 'access_grant_second_person';
    elsif old.lapses_at <= moment then
      raise check_violation using message = 'the request has lapsed', constraint = 'access_grant_lapsed';
    end if;
    -- Time counts from the approval.
    new.granted_at := moment;
    new.ends_at := moment + (old.ends_at - old.granted_at);
    if exists (select from cleverctl.account where id in (old.requested_by, old.account_id)
        and (removed_at is not null or valid_until < case when id = old.account_id then new.ends_at else moment end::date))
    then
      raise check_violation using message = 'one of them is not on the list that long', constraint = 'access_grant_list';
    end if;
    new.approved_by := person;
    new.approved_as := session_user;
    new.approved_at := moment;
  end if;
  return new;
end $$;
create trigger access_grant_guard before insert or update on cleverctl.access_grant
  for each row execute function cleverctl.access_grant_guard();

-- Approves a request, by whoever is logged in; the guard says whether that is somebody else. What follows on
-- the servers is an intent from now on. @returns false where nothing waits
create function cleverctl.access_approve(request bigint, os_user text, host text, ci_job text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  made cleverctl.access_grant;
  person text;
begin
  update cleverctl.access_grant set state = 'PLANNED' where id = request and state = 'REQUESTED' returning * into made;
  if not found then
    return false;
  end if;
  select handle into strict person from cleverctl.account where id = made.account_id;
  perform cleverctl.trail_append('change', 'access.approve', person, os_user, host, ci_job,
    jsonb_build_object('id', made.id::text, 'role', made.role_name, 'approvedBy',
      (select handle from cleverctl.account where id = made.approved_by), 'requestedBy',
      (select handle from cleverctl.account where id = made.requested_by)));
  perform cleverctl.trail_append('intent', 'access.grant', person, os_user, host, ci_job,
    jsonb_build_object('id', made.id::text, 'role', made.role_name, 'servers', to_jsonb(made.servers),
      'databases', to_jsonb(made.databases), 'isReadOnly', made.is_read_only, 'reason', made.reason,
      'endsAt', to_char(made.ends_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')));
  return true;
end $$;

-- Ends a request that nobody has approved yet. @returns false where nothing waits
create function cleverctl.access_deny(request bigint, because text, os_user text, host text, ci_job text)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  made cleverctl.access_grant;
begin
  update cleverctl.access_grant
  set state = 'ENDED', end_reason = 'denied', ended_at = clock_timestamp(), verifier = null
  where id = request and state = 'REQUESTED' returning * into made;
  if not found then
    return false;
  end if;
  perform cleverctl.trail_append('change', 'access.deny',
    (select handle from cleverctl.account where id = made.account_id), os_user, host, ci_job,
    jsonb_build_object('id', made.id::text, 'role', made.role_name, 'because', because));
  return true;
end $$;

revoke all on function cleverctl.access_person(), cleverctl.access_grant_guard(),
  cleverctl.access_needs_approval(interval, boolean, text[]),
  cleverctl.access_approve(bigint, text, text, text),
  cleverctl.access_deny(bigint, text, text, text, text) from public;
grant execute on function cleverctl.access_approve(bigint, text, text, text),
  cleverctl.access_deny(bigint, text, text, text, text) to cleverctl_staff;
