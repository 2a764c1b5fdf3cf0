-- How often in a row a router refused every login when it was to be looked after. Some routers shut an address out that
-- fails too often, so that nobody may go on trying unasked.
alter table cleverctl.router add column refusals smallint not null default 0;
