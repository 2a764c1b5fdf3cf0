# Counts the rows of every table of every database at one place in the WAL, on a standby.
#
#   sh count.sh PORT LSN < statements    LSN: not before the standby has replayed that
#
# Replay stands still while a snapshot is taken in each database, a fraction of a second: then all of them are of one
# place in the WAL, to the record. The counting itself goes on in those snapshots while WAL is replayed again. Whatever
# becomes of this script, replay goes on after half a minute.
#
# Writes a line about the place, and those of the statements. Exit codes: 0 done; 66 somebody else has paused replay;
# 67 the standby is too late, or locked; 68 the counting failed, e.g. because a table went meanwhile.
set -u
umask 077
export LC_ALL=C PGCONNECT_TIMEOUT=10 PGOPTIONS='-c lock_timeout=10s'
port=$1 after=$2
folder=$(mktemp -d) || exit 1
watch=

say() { psql -XAtqw -v ON_ERROR_STOP=1 -p "$port" -d postgres -c "$1"; }
resume() { say 'select pg_wal_replay_resume()' >/dev/null 2>&1; }

# Replay is ours to resume only once we have paused it.
finish() {
  if [ -n "$watch" ]; then
    kill "$watch" 2>/dev/null
    resume
  fi
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

fail() {
  code=$1
  shift
  echo "$*" >&2
  exit "$code"
}

# Asks until the answer is t. @param tenths of a second at most
patiently() {
  turn=0
  until [ "$(say "$2")" = t ]; do
    turn=$((turn + 1))
    [ $turn -lt "$1" ] || return 1
    sleep 0.1
  done
}

cat >"$folder/statements"
say 'select datname from pg_database where datallowconn and not datistemplate order by datname' >"$folder/databases" || exit 68
patiently 600 "select pg_last_wal_replay_lsn() >= '$after'" || fail 67 'the standby has not replayed the end of the backup'
[ "$(say 'select pg_get_wal_replay_pause_state()')" = 'not paused' ] || fail 66 'replay is paused by somebody else'

{
  sleep 30
  resume
} </dev/null >/dev/null 2>&1 &
watch=$!
say 'select pg_wal_replay_pause()' >/dev/null || exit 68
patiently 50 "select pg_get_wal_replay_pause_state() = 'paused'" || fail 67 'replay does not stand still'
count=0
pids=
while read -r name; do
  count=$((count + 1))
  PGDATABASE=$name BEGUN=$folder/begun.$count psql -XAtqw -v ON_ERROR_STOP=1 -p "$port" -f "$folder/statements" \
    </dev/null >"$folder/out.$count" 2>"$folder/error.$count" &
  pids="$pids $!"
done <"$folder/databases"
number=1
turn=0
while [ $number -le $count ]; do
  if [ -e "$folder/begun.$number" ]; then
    number=$((number + 1))
  else
    turn=$((turn + 1))
    [ $turn -lt 200 ] || fail 67 "no snapshot could be taken: $(cat "$folder"/error.*)"
    sleep 0.05
  fi
done
say "select json_build_object('lsn', pg_last_wal_replay_lsn(), 'timeline',
  greatest((select received_tli from pg_stat_wal_receiver), (select timeline_id from pg_control_checkpoint())),
  'systemIdentifier', (select system_identifier::text from pg_control_system()))" >"$folder/place" || exit 68
kill "$watch"
watch=
resume
for pid in $pids; do
  wait "$pid" || fail 68 "$(cat "$folder"/error.*)"
done
cat "$folder/place"
cat "$folder"/out.*
