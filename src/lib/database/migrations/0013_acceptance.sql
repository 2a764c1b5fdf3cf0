-- Findings of an audit of access that somebody answers for, until a day. Withdrawn ones stay.
create table cleverctl.access_acceptance (
  id bigint generated always as identity primary key,
  rule text not null,
  -- The finding's subject, and the server where it counts; null: at every server.
  subject text not null,
  host text,
  -- The member of staff who answers for it. It counts only while that person is on the list.
  owner_id bigint not null references cleverctl.account (id),
  reason text not null,
  valid_until date not null, -- the last day (UTC)
  accepted_at timestamptz not null,
  withdrawn_at timestamptz
);
create unique index access_acceptance_one on cleverctl.access_acceptance (rule, subject, host)
  nulls not distinct where withdrawn_at is null;

-- As with the list: only the owner of this database changes it.
grant select on cleverctl.access_acceptance to cleverctl_staff, cleverctl_auditor;
