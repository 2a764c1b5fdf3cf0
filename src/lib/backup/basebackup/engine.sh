# What a backup machine does where pgBackRest makes no backups. For any POSIX shell on Linux, as the user of the backups.
#
#   sh engine.sh list DIR                        what is there; a line each, its kind first
#   sh engine.sh wal DIR                         every file of the archive, and where timelines left others
#   sh engine.sh make DIR PROGRAMS CONNECTION ROLE   makes a backup; its progress, then its label
#   sh engine.sh verify DIR PROGRAMS LABEL       what pg_verifybackup says of one, and its exit code
#   sh engine.sh expire DIR LABEL                deletes one
#   sh engine.sh trim DIR PROGRAMS SEGMENT       deletes WAL before a segment
#   sh engine.sh check DIR CONNECTION…           what is missing; a line each, its state first
#
# DIR/backup/LABEL has `data` and `facts`, DIR/wal what pg_receivewal writes. A backup gets its name last and loses it
# first: a name that begins with a dot is what a kill has left, and goes with the next one.
#
# Exit codes: 0 done; 66 there is no DIR; 70 pg_basebackup failed; 75 another one works there, said on stderr.
set -u
umask 077
export LC_ALL=C
verb=$1 dir=$2
shift 2
tab=$(printf '\t')

fail() {
  code=$1
  shift
  echo "$*" >&2
  exit "$code"
}

# Whoever only looks takes the lock for an instant, so a little patience.
alone() {
  mkdir -p "$dir/backup" "$dir/wal" || exit 1
  exec 9>>"$dir/.lock"
  flock -w 5 9 || fail 75 "$(cat "$dir/.lock")"
  echo "process $$, begun $(date -u '+%Y-%m-%d %H:%M:%S') UTC" >"$dir/.lock"
  find "$dir/backup" -mindepth 1 -maxdepth 1 -name '.*' -exec rm -rf {} +
}

is_receiving() {
  for process in /proc/[0-9]*; do
    [ "$(cat "$process/comm" 2>/dev/null)" = pg_receivewal ] || continue
    tr '\0' '\n' <"$process/cmdline" 2>/dev/null | grep -qxF -e "--directory=$dir/wal" && return
  done
  return 1
}

segments() { ls "$dir/wal" 2>/dev/null | grep -xE '[0-9A-F]{24}'; }

list() {
  # One may go between its name and its reading; facts that are there and cannot be read are told as none.
  for facts in "$dir"/backup/[0-9]*/facts; do
    told=$(cat "$facts" 2>/dev/null) || [ -e "$facts" ] || continue
    label=${facts%/facts}
    printf 'backup\t%s\t%s\n' "${label##*/}" "$told"
  done
  printf 'archive\t%s\t%s\n' "$(segments | head -n 1)" "$(segments | tail -n 1)"
  [ ! -e "$dir/.lock" ] || flock -n -s "$dir/.lock" true || echo busy
  ! is_receiving || echo receiving
}

wal() {
  [ -d "$dir/wal" ] || return 0
  find "$dir/wal" -mindepth 1 -maxdepth 1 -type f -printf 'file\t%f\t%s\n'
  # The last line of a history file says which timeline was left, and where.
  for history in "$dir"/wal/*.history; do
    [ ! -e "$history" ] || printf 'fork\t%s\t%s\n' "$(basename "$history")" \
      "$(grep -E '^ *[0-9]' "$history" | tail -n 1 | cut -f 1,2)"
  done
}

field() { printf '%s\n' "$control" | sed -n "s/^$1: *//p"; }

# facts FOLDER LABEL BEGUN ROLE: what is told of a backup without looking into it again.
facts() {
  control=$("$programs/pg_controldata" -D "$1/data") || return
  ranges=$(sed -n 's/.*"Timeline": \([0-9]*\), "Start-LSN": "\([0-9A-F/]*\)", "End-LSN": "\([0-9A-F/]*\)".*/\1 \2 \3/p' \
    "$1/data/backup_manifest")
  first=$(printf '%s\n' "$ranges" | head -n 1)
  last=$(printf '%s\n' "$ranges" | tail -n 1)
  printf '{"label":"%s","startedAt":%s,"stoppedAt":%s,"bytes":%s,"version":"%s","systemIdentifier":"%s",' \
    "$2" "$3" "$(date +%s)" "$(du -sb "$1/data" | cut -f 1)" "$(cat "$1/data/PG_VERSION")" \
    "$(field 'Database system identifier')"
  printf '"segmentBytes":%s,"pageChecksums":%s,"startTimeline":%s,"startLsn":"%s","stopTimeline":%s,"stopLsn":"%s","from":"%s"}\n' \
    "$(field 'Bytes per WAL segment')" "$(field 'Data page checksum version')" \
    "${first%% *}" "$(echo "$first" | cut -d ' ' -f 2)" "${last%% *}" "${last##* }" "$4"
}

make() {
  programs=$1 connection=$2 role=$3
  alone
  begun=$(date +%s) label=$(date -u +%Y%m%d-%H%M%S)F
  new=$dir/backup/.new-$label
  [ ! -e "$dir/backup/$label" ] && mkdir "$new" || fail 70 "$label is there already"
  # Its progress goes out as it comes; what it said besides is wanted when it failed.
  {
    "$programs/pg_basebackup" --pgdata="$new/data" --dbname="$connection" --no-password --format=plain \
      --wal-method=stream --checkpoint=fast --manifest-checksums=SHA256 --label="cleverctl $label" --progress \
      </dev/null 2>&1
    echo $? >"$new/code"
  } | tee "$new/said"
  if [ "$(cat "$new/code")" != 0 ]; then
    tr '\r' '\n' <"$new/said" | grep -vE '^ *[0-9]+/[0-9]+ kB|^ *$' | tail -n 5 >&2
    rm -rf "$new"
    exit 70
  fi
  rm "$new/said" "$new/code"
  facts "$new" "$label" "$begun" "$role" >"$new/facts" || fail 70 'pg_controldata does not read the backup'
  sync "$new/facts" "$new"
  mv -T "$new" "$dir/backup/$label" || exit 1
  sync "$dir/backup"
  printf 'made\t%s\n' "$label"
}

expire() {
  alone
  [ -e "$dir/backup/$1" ] || return 0
  mv -T "$dir/backup/$1" "$dir/backup/.old-$1" || exit 1
  sync "$dir/backup"
  rm -rf "$dir/backup/.old-$1"
}

check() {
  if [ -O "$dir" ]; then echo "ok${tab}directory${tab}$dir"; else echo "problem${tab}directory${tab}$dir is not our own folder"; fi
  if is_receiving; then
    echo "ok${tab}receiver${tab}pg_receivewal writes to $dir/wal"
  else
    echo "problem${tab}receiver${tab}pg_receivewal does not run: no WAL reaches the backups"
  fi
  for connection in "$@"; do
    said=$(psql -XAtqw -d "$connection replication=true" -c IDENTIFY_SYSTEM 2>&1 </dev/null) &&
      echo "ok${tab}replication${tab}$(echo "$connection" | cut -d ' ' -f 1) lets us copy" ||
      echo "problem${tab}replication${tab}$(echo "$said" | tail -n 1)"
  done
}

[ -d "$dir" ] || [ "$verb" = check ] || fail 66 "there is no folder $dir"
case $verb in
  verify) exec "$1/pg_verifybackup" "$dir/backup/$2/data" 2>&1 ;;
  trim) exec "$1/pg_archivecleanup" "$dir/wal" "$2" ;;
  list | wal | make | expire | check) "$verb" "$@" ;;
esac
