#!/bin/sh
# Run it as root. It changes what is not as it should be, a file at a time and each at once, and says what it did.
set -euf
umask 077
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
[ "$(id -u)" = 0 ] || { echo 'root has to run this' >&2; exit 77; }

# replace FILE MODE USER [GROUP]: gives a file the text of stdin.
replace() {
  set -- "$1" "$2" "$3" "${4:-$(id -gn "$3")}"
  cat >"$1.cleverctl"
  if [ -f "$1" ] && cmp -s "$1.cleverctl" "$1" && [ "$(stat -c %a:%U:%G "$1")" = "$2:$3:$4" ]; then
    rm "$1.cleverctl"
    echo "unchanged $1"
    return
  fi
  chmod "$2" "$1.cleverctl"
  chown "$3:$4" "$1.cleverctl"
  sync "$1.cleverctl"
  mv "$1.cleverctl" "$1"
  echo "changed $1"
}

# place FOLDER USER: a folder that this user alone sees into.
place() {
  if [ -d "$1" ] && [ "$(stat -c %a:%U "$1")" = "700:$2" ]; then
    echo "unchanged $1"
  else
    install -d -o "$2" -g "$(id -gn "$2")" -m 700 "$1"
    echo "changed $1"
  fi
}

# authorize USER KEY OPTIONS STRICT: lets a key in with these options and without any others. With STRICT `yes` a key
# that comes in with fewer limits is left as it is: somebody may have no other way in.
authorize() {
  entry=$(getent passwd "$1") || { echo "there is no user $1" >&2; exit 65; }
  home=$(echo "$entry" | cut -d : -f 6)
  file=$home/.ssh/authorized_keys
  [ -d "$home/.ssh" ] || install -d -o "$1" -m 700 "$home/.ssh"
  [ -e "$file" ] || install -o "$1" -m 600 /dev/null "$file"
  if [ "$4" = yes ] && grep -F -- "$2" "$file" | grep -vqF 'command="/usr/local/sbin/cleverctl-'; then
    echo "the key of cleverctl opens $1 without limits: take it out of $file first, or record another key" >&2
    exit 73
  fi
  mode=$(stat -c %a "$file")
  # In the place of the line that had the key, so that the second time changes nothing.
  key=$2 line="$3 $2 cleverctl" awk '
    index($0, ENVIRON["key"]) { if (!done++) print ENVIRON["line"]; next }
    { print }
    END { if (!done) print ENVIRON["line"] }' "$file" | replace "$file" "$mode" "$1"
}

# What a person decides: sshd's own configuration.
root_login() {
  now=$(sshd -T 2>/dev/null | sed -n 's/^permitrootlogin //p')
  case $now in
    no) echo "todo PermitRootLogin forced-commands-only in sshd_config, then reload sshd" ;;
    *) echo "unchanged PermitRootLogin $now" ;;
  esac
}

# The newest PostgreSQL of this machine: its programs understand older servers.
find_programs() {
  set +f
  programs=$(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin 2>/dev/null | sort -V | tail -n 1)
  set -f
  [ -n "$programs" ] || { echo 'PostgreSQL is missing: install the release that the databases have' >&2; exit 65; }
}

# service NAME: what a person decides is when it begins.
service() {
  if systemctl is-active --quiet "$1" 2>/dev/null; then
    echo "unchanged $1 runs"
  else
    echo "todo systemctl daemon-reload && systemctl enable --now $1"
  fi
}
