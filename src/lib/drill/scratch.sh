# A place for a drill, on the machine that carries it out. For any POSIX shell on Linux, as the user of the backups.
#
#   sh scratch.sh begin PLACE TOKEN < this     takes the place, after what a former drill left; says how many KB are free
#   sh scratch.sh run PLACE WORD…              runs a program in it
#   sh scratch.sh start PLACE PROGRAMS WANTED OPTION…   starts PostgreSQL there, until it is as wanted
#   sh scratch.sh promote PLACE PROGRAMS       ends its recovery
#   sh scratch.sh sql PLACE PROGRAMS DATABASE < statements
#   sh scratch.sh stop PLACE                   stops it in order
#   sh scratch.sh end PLACE TOKEN              throws everything away
#
# Exit codes: 0 done; 65 something else is in the place; 66 PostgreSQL ended, its last words on stderr.
#
# What is started here has CLEVERCTL_DRILL=PLACE in its environment, and the place has a mark. What lacks both is never
# touched. A guard throws the place away when the connection of whoever began it ends, however it ends.
set -u
umask 077
export LC_ALL=C
verb=$1 place=$2
shift 2
mark=$place/.cleverctl-drill

fail() {
  code=$1
  shift
  echo "$*" >&2
  exit "$code"
}

is_ours() { [ -d "$place" ] && [ ! -L "$place" ] && [ -O "$place" ] && [ -f "$mark" ]; }

# PostgreSQL writes over its environment; its processes stand in the data directory instead.
processes() {
  for process in /proc/[0-9]*; do
    pid=${process#/proc/}
    { [ -O "$process" ] && [ "$pid" != $$ ]; } || continue
    case $(cat "$process/comm" 2>/dev/null) in
      postgres) case $(readlink "$process/cwd") in "$place"/*) echo "$pid" ;; esac ;;
      *) tr '\0' '\n' <"$process/environ" 2>/dev/null | grep -qxF "CLEVERCTL_DRILL=$place" && echo "$pid" ;;
    esac
  done
}

# PostgreSQL is asked to end at once, so that it gives its shared memory back.
end_processes() {
  turn=0
  while [ $turn -lt 100 ]; do
    found=$(processes)
    [ -z "$found" ] && return
    for pid in $found; do
      case $turn in
        0) if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ]; then kill -QUIT "$pid"; else kill "$pid"; fi ;;
        90) kill -KILL "$pid" ;;
      esac 2>/dev/null
    done
    turn=$((turn + 1))
    sleep 0.1
  done
}

throw_away() {
  [ -e "$place" ] || [ -L "$place" ] || return 0
  if ! is_ours; then
    # A drill that was killed before it could mark the place has put nothing into it.
    [ -d "$place" ] && [ ! -L "$place" ] && [ -O "$place" ] && rmdir "$place" 2>/dev/null && return
    fail 65 "$place is there and was not made by a drill"
  fi
  end_processes
  rm -rf "$place"
}

begin() {
  throw_away
  mkdir "$place" && echo "$1" >"$mark" || exit 1
  printf '%s\n' "$SCRIPT" >"$place/drill.sh"
  mkdir "$place/data" "$place/socket" "$place/log"
  echo 'local all all trust' >"$place/hba.conf"
  : >"$place/ident.conf"
  # The parent is the process of sshd that serves this connection.
  unset SCRIPT
  cd /
  CLEVERCTL_DRILL=$place sh "$place/drill.sh" guard "$place" "$1" "$PPID" </dev/null >/dev/null 2>&1 &
  df -Pk "$place" | awk 'NR == 2 { print $4 }'
}

guard() {
  trap '' HUP
  while kill -0 "$2" 2>/dev/null; do sleep 1; done
  # Not among the processes that it ends.
  unset CLEVERCTL_DRILL
  exec sh "$place/drill.sh" end "$place" "$1"
}

# A later drill may have the place by now.
end() { if [ -e "$place" ] && { ! is_ours || [ "$(cat "$mark")" = "$1" ]; }; then throw_away; fi; }

ask() { PGOPTIONS='-c statement_timeout=10s' "$programs/psql" -XAtqw -h "$place/socket" -U postgres -d postgres -c "$1" 2>/dev/null; }

start() {
  programs=$1 wanted=$2
  shift 2
  cd "$place/data" || exit 1
  [ -e postgresql.conf ] || settings >postgresql.conf
  chmod 700 .
  "$programs/postgres" -D "$place/data" "$@" </dev/null >"$place/log/server" 2>&1 &
  await $! "$wanted"
}

promote() {
  programs=$1
  ask 'select pg_wal_replay_resume()' >/dev/null
  await "$(head -n 1 "$place/data/postmaster.pid")" promoted
}

await() {
  case $2 in
    paused) question="select pg_get_wal_replay_pause_state() = 'paused'" ;;
    *) question='select not pg_is_in_recovery()' ;;
  esac
  until [ "$(ask "$question")" = t ]; do
    kill -0 "$1" 2>/dev/null || last_words
    sleep 0.1
  done
}

last_words() {
  grep -E '(FATAL|PANIC):' "$place/log/server" | tail -n 1 >&2
  exit 66
}

# For a cluster whose configuration is kept elsewhere: what recovery needs at least.
settings() {
  "$programs/pg_controldata" -D "$place/data" | sed -n \
    -e 's/^max_connections setting: */max_connections = /p' \
    -e 's/^max_worker_processes setting: */max_worker_processes = /p' \
    -e 's/^max_wal_senders setting: */max_wal_senders = /p' \
    -e 's/^max_prepared_xacts setting: */max_prepared_transactions = /p' \
    -e 's/^max_locks_per_xact setting: */max_locks_per_transaction = /p'
}

stop() {
  pid=$(head -n 1 "$place/data/postmaster.pid" 2>/dev/null) || return 0
  kill -INT "$pid" 2>/dev/null
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}

case $verb in
  begin | guard | end) ;;
  *) export CLEVERCTL_DRILL="$place" ;;
esac
case $verb in
  begin) begin "$1" ;;
  run) cd "$place" && exec "$@" ;;
  start) start "$@" ;;
  promote) promote "$1" ;;
  sql) cd "$place" && PGDATABASE=$2 exec "$1/psql" -XAtqw -v ON_ERROR_STOP=1 -h "$place/socket" -U postgres -f - ;;
  stop) stop ;;
  guard) guard "$1" "$2" ;;
  end) end "$1" ;;
esac
