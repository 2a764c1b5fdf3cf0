#!/bin/bash
# cleverctl-snapshot DRIVER PORT DATA PLACE: snapshots of PostgreSQL's data directory DATA in PLACE. It belongs to root
# and is the forced command of one key, so that whoever has that key can do here what stands below and nothing else:
#   about                what this is
#   create NAME          makes a snapshot; one of that name that is whole is left as it is
#   list                 says what is there
#   delete NAME          removes one; what is gone already is gone
#   copy NAME FOLDER     copies one to a folder that is not there or is empty, as the owner of the data
#   check                refuses where none can be made
# A snapshot is a folder PLACE/NAME with `facts`, with `made`: by which driver and of what, and with `data`, or with
# the snapshot elsewhere. It gets its name last and loses it first: a name that begins with a dot is what a kill has
# left.
set -euf -o pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
umask 077
driver=$1 port=$2 data=$3 place=$4 apart=${5:-}
# Of what a driver makes snapshots, where the data are in it, and which file system that is.
origin='' inner='' kind=''

fail() {
  echo "$1" >&2
  exit "${2:-1}"
}
# What a person has to put right first.
refuse() { fail "$1" 64; }

name_of() {
  [[ ${1:-} =~ ^cleverctl-[0-9]{8}-[0-9]{6}(-[a-z0-9-]{1,40})?$ ]] || refuse 'this is no name of a snapshot of ours'
  echo "$1"
}

# The owner of the data, never root: what is written below asks root for nothing.
as_owner() {
  local user group
  user=$(stat -c %u "$data") group=$(stat -c %g "$data")
  [ "$user" != 0 ] || refuse "$data belongs to root"
  setpriv --reuid "$user" --regid "$group" --init-groups --no-new-privs env -i PATH="$PATH" LC_ALL=C HOME=/ "$@"
}

psql_as_owner() {
  as_owner PGOPTIONS='-c statement_timeout=600s' PGCONNECT_TIMEOUT=10 \
    psql -XAtqw -v ON_ERROR_STOP=1 -p "$port" -d postgres "$@"
}

FACTS="select json_build_object(
  'lsn', case when pg_is_in_recovery()
    then greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) else pg_current_wal_flush_lsn() end,
  'timeline', case when pg_is_in_recovery()
    then greatest((select received_tli from pg_stat_wal_receiver), (select timeline_id from pg_control_checkpoint()))
    else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer end,
  'isInRecovery', pg_is_in_recovery(),
  'systemIdentifier', (select system_identifier::text from pg_control_system()),
  'directory', current_setting('data_directory'),
  'tablespaces', (select count(*) from pg_tablespace where spcname not in ('pg_default', 'pg_global')))"

# Everything that PostgreSQL writes must be in the snapshot, and at one moment.
require_whole() {
  [[ $1 == *"\"tablespaces\" : 0}" ]] || refuse 'there are tablespaces outside of the data directory'
  [[ $1 == *"\"directory\" : \"$data\""* ]] || refuse "the PostgreSQL of port $port has another data directory"
}

require_ready() {
  [ -d "$data" ] || refuse "there is no folder $data"
  [ ! -L "$data/pg_wal" ] || refuse 'pg_wal is outside of the data directory'
  ! awk -v inside="$data/" 'index($5, inside) == 1 { found = 1 } END { exit !found }' /proc/self/mountinfo ||
    refuse "another file system is mounted in $data"
  "require_$driver"
}

# locate KIND DEVICE: on which file system the data are; both are patterns of what is possible.
locate() {
  local mounted
  read -r device kind mounted <<<"$(findmnt -nr -o SOURCE,FSTYPE,TARGET --target "$data")"
  [[ $kind =~ ^($1)$ && $device =~ ^($2)$ ]] || refuse "$data is on $kind of $device, where $driver makes no snapshots"
  inner=${data#"${mounted%/}"}
  inner=.${inner}
}

require_place() {
  [ -d "$place" ] || refuse "there is no folder $place"
  [ "$(stat -c %u "$place")" = 0 ] || refuse "$place does not belong to root"
  exec 9>"$place/.lock"
  flock 9
}

# The drivers stand here.

# How the snapshot of a folder was made, which may be by another driver than today's.
recall() {
  origin='' inner='' kind=''
  [ ! -s "$1/made" ] || read -r driver origin inner kind <"$1/made"
}

# drop FOLDER NAME
drop() (
  [ -e "$1" ] || return 0
  recall "$1"
  "drop_$driver" "$1" "$2"
  rm -rf "$1"
)

# has FOLDER NAME: 1 where it is not there, 74 where that is not known
has() (
  recall "$1"
  "has_$driver" "$1" "$2"
)

create() {
  local name facts at
  name=$(name_of "$1")
  require_place
  if [ ! -e "$place/$name" ]; then
    cd /
    facts=$(psql_as_owner -c "$FACTS") || fail 'PostgreSQL takes no connections' 69
    require_whole "$facts"
    require_ready
    at=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)
    drop "$place/.new-$name" "$name"
    mkdir "$place/.new-$name"
    echo "$driver $origin $inner $kind" >"$place/.new-$name/made"
    "take_$driver" "$place/.new-$name" "$name"
    printf '%s\t%s\n' "$at" "$facts" >"$place/.new-$name/facts"
    mv -T "$place/.new-$name" "$place/$name"
    sync -f "$place"
  fi
  cat "$place/$name/facts"
}

list() {
  local path code
  require_place
  cd "$place"
  find . -mindepth 1 -maxdepth 1 -type d -name '*cleverctl-*' -printf '%P\n' | sort | while IFS= read -r path; do
    case $path in
      cleverctl-*)
        # Whoever may destroy volumes can do so behind our back.
        code=0
        has "$place/$path" "$path" || code=$?
        case $code in
          0) printf '%s\twhole\t' "$path" && cat "$path/facts" ;;
          1) ;;
          *) exit $code ;;
        esac
        ;;
      .new-* | .old-*) printf '%s\tpartial\n' "${path:5}" ;;
    esac
  done
}

delete() {
  local name
  name=$(name_of "$1")
  require_place
  drop "$place/.new-$name" "$name"
  drop "$place/.old-$name" "$name"
  [ -e "$place/$name" ] || return 0
  mv -T "$place/$name" "$place/.old-$name"
  drop "$place/.old-$name" "$name"
  sync -f "$place"
}

# From the snapshot that is the working directory. A started copy must not follow, archive or answer as the original.
COPY='set -euf
to=$1
umask 077
if [ -e "$to" ] || [ -L "$to" ]; then
  [ -d "$to" ] && [ ! -L "$to" ] && [ -z "$(ls -A "$to")" ] || { echo "$to is there and not empty" >&2; exit 64; }
fi
parent=$(dirname "$to")
[ -d "$parent" ] && [ -w "$parent" ] || { echo "$(id -un) cannot make a folder in $parent" >&2; exit 64; }
rm -rf "$to.cleverctl"
cp -a --reflink=auto . "$to.cleverctl"
cd "$to.cleverctl"
rm -rf postmaster.pid postmaster.opts standby.signal recovery.signal
find pg_replslot -mindepth 1 -delete
cat >>postgresql.auto.conf <<END
# A copy of a snapshot: it neither follows another server nor archives its WAL until these lines are removed.
primary_conninfo = '"''"'
primary_slot_name = '"''"'
archive_mode = off
END
chmod 700 .
cd /
sync -f "$to.cleverctl"
mv -T "$to.cleverctl" "$to"'

copy() {
  local name to=${2:-}
  name=$(name_of "$1")
  [[ $to =~ ^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$ ]] || refuse 'a folder is an absolute path of plain letters'
  case "$to/" in "$data"/* | "$place"/*) refuse "$to is where the data or the snapshots are" ;; esac
  case "$data/" in "$to"/*) refuse "$to holds the data" ;; esac
  [ -e "$place/$name" ] || fail "there is no $name" 66
  recall "$place/$name"
  # What is mounted for it is seen here alone and gone with this process, however it ends.
  [ "$driver" != lvm ] || [ -n "$apart" ] || exec unshare --mount -- "$0" "$driver" "$port" "$data" "$place" apart
  require_place
  has "$place/$name" "$name" || fail "$name is not there any more, or that is not known" 66
  "open_$driver" "$place/$name" "$name"
  cd "$opened"
  as_owner sh -c "$COPY" copy "$to"
  cd /
  [ -z "$apart" ] || umount "$place/$name/mount"
}

# shellcheck disable=SC2086 # the words that the other side sent; nothing in them is expanded
set -- ${SSH_ORIGINAL_COMMAND:-about}
case "${1:-} $#" in
  'about 1') echo "$(sha256sum <"$0" | cut -d ' ' -f 1) $driver $port $data $place" ;;
  'create 2' | 'delete 2' | 'copy 3') "$@" ;;
  'list 1') list ;;
  'check 1') require_place && require_ready ;;
  *) refuse 'about, create NAME, list, delete NAME, copy NAME FOLDER, check' ;;
esac
