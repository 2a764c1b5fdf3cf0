# The data are on a dataset; a snapshot is one of ZFS, which is of one moment. Its files are seen below .zfs/snapshot of
# the dataset whether that folder is shown or not (zfsconcepts(7)). Snapshots of other names are never touched.

require_zfs() {
  local device
  command -v zfs >/dev/null || refuse 'the program zfs is missing: apt-get install zfsutils-linux'
  locate zfs '[A-Za-z0-9][A-Za-z0-9_.:/-]*'
  origin=$device
}

take_zfs() {
  # What is made below is found again by what stands in the folder, also after a power cut.
  sync -f "$place"
  zfs snapshot "$origin@$2"
}

has_zfs() {
  local all
  all=$(zfs list -H -o name -t snapshot -d 1 "$origin" 2>&1) || fail "$(head -n 1 <<<"$all")" 74
  grep -qxF "$origin@$2" <<<"$all"
}

open_zfs() {
  local mounted
  mounted=$(findmnt -nr -o TARGET --source "$origin" | head -n 1)
  [ -n "$mounted" ] || fail "$origin is not mounted"
  opened=$mounted/.zfs/snapshot/$2/$inner
}

drop_zfs() {
  [ -n "$origin" ] || return 0
  ! has_zfs "$1" "$2" || zfs destroy "$origin@$2" >&2
}
