# A copy of every file that shares its blocks with the original.

require_reflink() { :; }

# Files go while they are copied, as in every base backup: recovery does not miss them. Anything else is a fault.
clone() {
  local said
  said=$(cp -a --reflink=always "$@" 2>&1) && return 0
  ! grep -qvE "^cp: cannot (stat|open) '.*'( for reading)?: No such file or directory$" <<<"$said" ||
    fail "$(head -n 1 <<<"$said")"
}

# Copies of single files are not of one moment: PostgreSQL is told before and after, and makes them of one by recovery.
take_reflink() {
  local line
  coproc SQL { psql_as_owner 2>&1; }
  local pid=$SQL_PID out=${SQL[0]} in=${SQL[1]}
  say() {
    printf '%s;\n\\echo .end\n' "$1" >&"$in"
    while IFS= read -r line <&"$out" && [ "$line" != .end ]; do printf '%s\n' "$line"; done
    [ "${line:-}" = .end ] || fail "PostgreSQL did not answer: ${line:-}"
  }
  say "select pg_backup_start('cleverctl', true)" >/dev/null
  clone "$data" "$1/data"
  # Of a standby it says how far recovery must come, so it must be the youngest of all files.
  clone "$data/global/pg_control" "$1/data/global/pg_control"
  say 'select labelfile from pg_backup_stop(false)' >"$1/backup_label"
  grep -q '^START WAL LOCATION' "$1/backup_label" || fail 'PostgreSQL gave no backup label'
  exec {in}>&-
  wait "$pid"
  clone -T "$data/pg_wal" "$1/data/pg_wal"
  chown --reference "$data/PG_VERSION" "$1/backup_label"
  chmod 600 "$1/backup_label"
  mv "$1/backup_label" "$1/data/backup_label"
}

has_reflink() { [ -d "$1/data" ]; }

open_reflink() { opened=$1/data; }

drop_reflink() { rm -rf "$1/data"; }
