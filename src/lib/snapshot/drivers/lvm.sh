# The file system is on a logical volume; a snapshot is another volume. The kernel lets the file system come to rest for
# it, so it is of one moment. Volumes of other names, and what is no snapshot of this volume, are never touched.

lvs_of() { lvs --noheadings --separator : -o "$1" --select "$2=\"$3\"" | tr -d ' '; }

require_lvm() {
  local device found program
  for program in lvs lvcreate lvchange lvremove; do
    command -v "$program" >/dev/null || refuse "the program $program is missing: apt-get install lvm2"
  done
  locate '[a-z0-9]+' '/dev/mapper/[A-Za-z0-9+_.-]+'
  found=$(lvs_of vg_name,lv_name lv_dm_path "$device") || fail 'lvs does not say which volume it is'
  [[ $found == *:* ]] || refuse "$data is on no logical volume"
  origin=${found/:/\/}
}

take_lvm() {
  local pool size=()
  pool=$(lvs_of pool_lv lv_full_name "$origin")
  # As big as the volume: one that runs full is lost (lvcreate(8)). A thin one shares the pool.
  [ -n "$pool" ] || size=(-l 100%ORIGIN)
  # What is made below is found again by what stands in the folder, also after a power cut.
  sync -f "$place"
  lvcreate --yes -s -n "$2" "${size[@]}" "$origin" >&2
}

# A snapshot that ran full is not there any more; see lv_attr in lvs(8).
has_lvm() {
  local found
  found=$(lvs_of origin,lv_attr lv_full_name "${origin%/*}/$2") || fail "lvs does not say whether $2 is there" 74
  [[ $found == "${origin#*/}":????[!IS]* ]]
}

open_lvm() {
  local options=ro volume=${origin%/*}/$2
  # A copy has the UUID of the original, which xfs does not mount twice.
  [ "$kind" != xfs ] || options=ro,nouuid
  # A thin snapshot is left out when volumes are activated (lvmthin(7)).
  lvchange -ay -K "$volume" >&2
  mkdir -p "$1/mount"
  mount -t "$kind" -o "$options" "/dev/$volume" "$1/mount"
  opened=$1/mount/$inner
}

drop_lvm() {
  local found volume=${origin%/*}/$2
  [ -n "$origin" ] || return 0
  found=$(lvs_of lv_name,origin lv_full_name "$volume") || fail "lvs does not say whether $2 is there"
  [ -n "$found" ] || return 0
  [ "$found" = "$2:${origin#*/}" ] || fail "$volume is no snapshot of $origin"
  lvremove --yes "$volume" >&2
}
