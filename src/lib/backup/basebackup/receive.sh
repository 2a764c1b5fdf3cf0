#!/bin/sh
# cleverctl-receive PROGRAMS DIR SLOT CONNECTION: receives WAL into DIR/wal until the connection ends, as the user of the
# backups. A service begins it again then: the primary may be another one by that time.
set -eu
umask 077
export LC_ALL=C
programs=$1 wal=$2/wal slot=$3 connection=$4

ask() { psql -XAtqw -F ' ' -d "$connection replication=true" -c "$1"; }

# A primary that failed in the first bytes of a segment, or before them, leaves a timeline that ends where a segment
# begins. Asked for what follows, the new primary names its own timeline and sends nothing, which pg_receivewal (15)
# takes for a lost connection, each time again. From an empty segment of the new timeline it goes on.
follow() {
  # The one from which pg_receivewal goes on: the last by its place, then by its timeline.
  last=$(ls "$wal" | grep -xE '[0-9A-F]{24}(\.partial)?' | sort -k 1.9,1.24 -k 1.1,1.8 | tail -n 1)
  [ -n "$last" ] || return 0
  timeline=$((0x$(echo "$last" | cut -c 1-8)))
  high=$((0x$(echo "$last" | cut -c 9-16)))
  low=$((0x$(echo "$last" | cut -c 17-24)))
  current=$(ask IDENTIFY_SYSTEM | cut -d ' ' -f 2)
  [ "$timeline" != "$current" ] || return 0
  size=$(ask 'SHOW wal_segment_size')
  case $size in *GB) mega=$((${size%GB} * 1024)) ;; *) mega=${size%MB} ;; esac
  case $last in
    *.partial) ;;
    *)
      low=$((low + 1))
      [ "$low" -lt $((4096 / mega)) ] || high=$((high + 1)) low=0
      ;;
  esac
  at=$(printf '%X/%X' "$high" $((low * mega * 1024 * 1024)))
  next=$(ask "TIMELINE_HISTORY $current" | sed 's/^[0-9A-F]*\.history //' |
    awk -v left="$timeline" -v at="$at" -v current="$current" '
      isLeft && $1 ~ /^[0-9]+$/ { current = $1; exit }
      $1 == left && $2 == at { isLeft = 1 }
      END { if (isLeft) print current }')
  [ -z "$next" ] || : >>"$wal/$(printf '%08X%08X%08X' "$next" "$high" "$low").partial"
}

mkdir -p "$wal"
set -- "$programs/pg_receivewal" --directory="$wal" --slot="$slot" --no-password --dbname="$connection"
"$@" --create-slot --if-not-exists
follow
exec "$@" --no-loop --synchronous
