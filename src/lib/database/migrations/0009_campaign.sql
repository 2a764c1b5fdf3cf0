-- Campaigns: one operation carried out over many targets, in waves. The rows are the state; whoever runs a
-- campaign keeps nothing else.
create table cleverctl.campaign (
  id bigint generated always as identity primary key,
  -- As its command is called, e.g. `api-key rotate`.
  operation text not null,
  -- What the operation was asked for; never a secret.
  parameters jsonb not null check (jsonb_typeof(parameters) = 'object'),
  -- Waves, stop rules, window and the like.
  pace jsonb not null check (jsonb_typeof(pace) = 'object'),
  -- Of operation, parameters, pace and choice of targets: by it the same command finds its campaign again.
  fingerprint bytea not null check (octet_length(fingerprint) = 32),
  state text not null default 'running' check (state in ('running', 'paused', 'stopped', 'aborted', 'done')),
  reason text,
  state_since timestamptz not null,
  wave integer not null default 1,
  wave_opens_at timestamptz,
  -- Stop rules count what happened since then: since the start, or since a person resumed it.
  watched_from timestamptz not null,
  -- Left to `campaign work`.
  is_detached boolean not null default false,
  created_at timestamptz not null,
  created_by text not null
);
create index campaign_fingerprint on cleverctl.campaign (fingerprint) where state not in ('aborted', 'done');

create table cleverctl.campaign_target (
  campaign_id bigint not null references cleverctl.campaign,
  -- Counts from 1 in the order in which targets are started.
  position integer not null,
  -- An installation's code, or whatever else the operation is done to.
  target text collate "C" not null,
  -- The same as the campaign's, for the index that holds targets.
  operation text not null,
  -- Where it stands: whose window counts, and whose refusals.
  installation_id bigint references cleverctl.installation,
  wave integer not null,
  state text not null default 'waiting'
    check (state in ('waiting', 'running', 'done', 'unchanged', 'failed', 'skipped')),
  -- How often it was started. A start that was cut short counts.
  attempt smallint not null default 0,
  -- Who runs it. A runner holds a session's advisory lock by this name: when that is free, the runner is gone.
  runner text,
  -- Not to be started before; null as long as nobody has looked at it.
  ready_at timestamptz,
  -- When it was given to the job queue, where workers do the work.
  queued_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  error_code text,
  error_message text,
  -- Refusals of its installation in the hour in which it was finished, up to then.
  refusals_before bigint,
  primary key (campaign_id, position),
  unique (campaign_id, target),
  check ((state = 'running') = (runner is not null)),
  check ((state = 'failed') = (error_code is not null))
) with (fillfactor = 85); -- each row is updated twice
-- A target is in one unfinished campaign of an operation at a time.
create unique index campaign_target_held on cleverctl.campaign_target (operation, target)
  where state in ('waiting', 'running');
create index campaign_target_waiting on cleverctl.campaign_target (campaign_id, wave, position)
  where state = 'waiting';
create index campaign_target_running on cleverctl.campaign_target (campaign_id) where state = 'running';
create index campaign_target_failed on cleverctl.campaign_target (campaign_id, position) where state = 'failed';

grant select, insert, update on cleverctl.campaign, cleverctl.campaign_target to cleverctl_staff;
grant select on cleverctl.campaign, cleverctl.campaign_target to cleverctl_auditor;
