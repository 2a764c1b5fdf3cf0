-- Where reading of the servers' logs stands, so that the next one goes on from there. It is written in the transaction
-- that adds to the ledger. JSON of the type json, which takes whatever escapes clients' names need.
create table cleverctl.session_server (
  server text primary key,
  generation bigint not null, -- counts how often it was written: of two commands at a time one is refused
  connections json not null -- those that have not ended
);
create table cleverctl.session_log (
  server text not null references cleverctl.session_server,
  head bytea not null check (octet_length(head) = 32), -- SHA-256 of the first bytes: a log is known by them
  head_bytes integer not null check (head_bytes between 1 and 1024),
  log text not null, -- its name when it was read last
  offset_bytes bigint not null check (offset_bytes >= 0), -- done with, unpacked
  changed_at timestamptz not null, -- by the clock of its machine
  is_done boolean not null, -- nothing more is written to it
  reader json not null,
  primary key (server, head)
);
grant select, insert, update on cleverctl.session_server, cleverctl.session_log to cleverctl_staff;
grant select on cleverctl.session_server, cleverctl.session_log to cleverctl_auditor;
