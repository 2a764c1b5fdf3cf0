-- What `cleverctl status` and lists ask of a registry of a million devices, without reading all of it.

-- The few revoked devices, in the order of lists.
create index device_revoked on cleverctl.device (serial) where revoked_at is not null;

-- Readings lie in their table in the order in which they arrived, so a few bytes for each megabyte
-- lead to those of the last hour.
create index reading_received on cleverctl.reading using brin (received_at) with (autosummarize = on);
