# The data directory is a subvolume; a snapshot is another one, read-only, and of one moment.

require_btrfs() {
  [ "$(stat -f -c %T "$data")" = btrfs ] && [ "$(stat -c %i "$data")" = 256 ] ||
    refuse "$data is no subvolume of btrfs"
}

take_btrfs() { btrfs -q subvolume snapshot -r "$data" "$1/data"; }

has_btrfs() { [ -d "$1/data" ]; }

open_btrfs() { opened=$1/data; }

drop_btrfs() {
  [ ! -d "$1/data" ] || btrfs -q subvolume delete --commit-after "$1/data" >&2
}
