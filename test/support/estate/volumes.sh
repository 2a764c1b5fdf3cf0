#!/bin/bash
# A recorded console of ZFS, or of the logical volume manager, on a machine that has neither: it is called by the names
# of their programs, takes the commands that follow and no others, and says what their documentation has them say.
#
#   fact                                                                    source
#   zfs list -H: tab between columns, no headings; -d 1: direct children    zfs-list(8)
#   zfs snapshot dataset@name; one that is there: "dataset already exists"  zfs-snapshot(8)
#   zfs destroy dataset@name; one with a clone or a hold is refused         zfs-destroy(8)
#   a snapshot is seen in .zfs/snapshot of its dataset's mount point        zfsconcepts(7), zfs-snapshot(8)
#   lvs --noheadings: two blanks, then the columns; --select may find none  lvs(8), lvmreport(7)
#   the fifth letter of lv_attr is I when a snapshot ran full               lvs(8), "lv_attr"
#   lvcreate -s wants a size, but of a thin volume; 5 on failure            lvcreate(8), lvmthin(7)
#   a thin snapshot is not active until lvchange -ay -K                     lvmthin(7)
#   lvremove refuses what is mounted                                        lvremove(8)
#   a second xfs of one UUID is mounted with nouuid only; mount ends with 32  xfs(5), mount(8)
#   findmnt -nr: no headings, one blank between columns                     findmnt(8)
#
# The volume is what is below /var/lib/postgresql. What it held at a moment is kept by snapshots of btrfs, so that it
# was really of that moment. /etc/estate/volumes says KIND, and FSTYPE and POOL of a logical volume.
set -euo pipefail
. /etc/estate/volumes
root=/var/lib/postgresql kept=/disk/volumes
if [ "$KIND" = zfs ]; then kept=$root/.zfs/snapshot; fi
mkdir -p "$kept"
program=${0##*/}
echo "$program $*" >>/disk/console

fail() {
  echo "$2" >&2
  exit "$1"
}
keep() {
  mkdir -p "$kept/$1/15"
  chmod 755 "$kept" "$kept/$1" "$kept/$1/15"
  btrfs -q subvolume snapshot -r "$root/15/main" "$kept/$1/15/main"
}
discard() {
  btrfs -q subvolume delete "$kept/$1/15/main" >/dev/null
  rm -r "${kept:?}/$1"
}

zfs() {
  local name=${*: -1}
  case $* in
    'list -H -o name -t snapshot -d 1 tank/pg') ls "$kept" | sed 's|^|tank/pg@|' ;;
    'list '*) fail 1 "cannot open '$name': dataset does not exist" ;;
    "snapshot tank/pg@"*)
      [ ! -e "$kept/${name#*@}" ] || fail 1 "cannot create snapshot '$name': dataset already exists"
      keep "${name#*@}"
      ;;
    "destroy tank/pg@"*)
      [ -e "$kept/${name#*@}" ] || fail 1 "could not find any snapshots to destroy; check snapshot names."
      discard "${name#*@}"
      ;;
    *) fail 2 'usage: zfs command args ...' ;;
  esac
}

# Of a volume: vg_name, lv_name, lv_full_name, lv_dm_path, pool_lv, origin, lv_attr.
rows() {
  local name letter
  echo "vg0 pg vg0/pg /dev/mapper/vg0-pg $POOL - -wi-ao----"
  for name in $(ls "$kept"); do
    letter=a
    [ ! -e "$kept/$name/full" ] || letter=I
    echo "vg0 $name vg0/$name /dev/mapper/vg0-${name//-/--} $POOL pg swi-$letter-s---"
  done
}
lvs() {
  local names=(vg_name lv_name lv_full_name lv_dm_path pool_lv origin lv_attr) values wanted=() name value
  [[ "$*" =~ ^'--noheadings --separator : -o '([a-z_,]+)' --select '([a-z_]+)=\"([^\"]+)\"$ ]] ||
    fail 3 '  Error during parsing of command line.'
  local fields=${BASH_REMATCH[1]} key=${BASH_REMATCH[2]} sought=${BASH_REMATCH[3]}
  while read -ra values; do
    local -A row=()
    for name in "${!names[@]}"; do
      value=${values[$name]}
      row[${names[$name]}]=${value/#-/$([ "$value" = - ] || echo -)}
    done
    [ "${row[$key]?}" = "$sought" ] || continue
    wanted=()
    for name in ${fields//,/ }; do wanted+=("${row[$name]?}"); done
    (IFS=: && echo "  ${wanted[*]}")
  done < <(rows)
}
lvcreate() {
  [[ "$*" =~ ^'--yes -s -n '([A-Za-z0-9+_.-]+)(' -l 100%ORIGIN')?' vg0/pg'$ ]] ||
    fail 3 '  Error during parsing of command line.'
  [ "$POOL" != - ] || [ -n "${BASH_REMATCH[2]}" ] || fail 3 '  Please specify either size or extents with snapshots.'
  [ "$POOL" = - ] || [ -z "${BASH_REMATCH[2]}" ] || fail 3 '  Cannot use extents with a thin snapshot.'
  local name=${BASH_REMATCH[1]}
  [ ! -e "$kept/$name" ] || fail 5 "  Logical Volume \"$name\" already exists in volume group \"vg0\""
  keep "$name"
  [ "$POOL" != - ] || touch "$kept/$name/active"
  echo "  Logical volume \"$name\" created."
}
known() { [[ "$1" == vg0/* && -e "$kept/${1#vg0/}" ]] || fail 5 "  Failed to find logical volume \"$1\""; }
lvchange() {
  [ "$1 $2 $#" = '-ay -K 3' ] || fail 3 '  Error during parsing of command line.'
  known "$3"
  touch "$kept/${3#vg0/}/active"
}
lvremove() {
  [ "$1 $#" = '--yes 2' ] || fail 3 '  Error during parsing of command line.'
  known "$2"
  ! grep -q "snapshots/.*${2#vg0/}/mount " /proc/self/mountinfo ||
    fail 5 "  Logical volume $2 contains a filesystem in use."
  discard "${2#vg0/}"
  echo "  Logical volume \"${2#vg0/}\" successfully removed."
}

mount() {
  [ "$1 $3" = "-t -o" ] && [ "$2" = "$FSTYPE" ] && [[ ",$4," == *,ro,* ]] || fail 1 'mount: bad usage'
  local name=${5#/dev/vg0/}
  [ -e "$kept/$name/active" ] || fail 32 "mount: $6: special device $5 does not exist."
  [ "$FSTYPE" != xfs ] || [[ ",$4," == *,nouuid,* ]] ||
    fail 32 "mount: $6: wrong fs type, bad option, bad superblock on $5."
  command mount --bind "$kept/$name" "$6"
}
findmnt() {
  case "$KIND $*" in
    "zfs -nr -o SOURCE,FSTYPE,TARGET --target $root/"*) echo "tank/pg zfs $root" ;;
    'zfs -nr -o TARGET --source tank/pg') echo "$root" ;;
    "lvm -nr -o SOURCE,FSTYPE,TARGET --target $root/"*) echo "/dev/mapper/vg0-pg $FSTYPE $root" ;;
    *) fail 1 '' ;;
  esac
}

export PATH=/usr/sbin:/usr/bin:/sbin:/bin
case $program in
  zfs | lvs | lvcreate | lvchange | lvremove | mount | findmnt) "$program" "$@" ;;
esac
