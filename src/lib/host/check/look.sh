# Looks at a host as its recorded user and changes nothing; `NAME<tab>VALUE`, a line each. $1 is the stanza, $2 and $3
# are the data directory and the place for snapshots, or empty; $4 is where pg_basebackup keeps backups, or empty.
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
say() { printf '%s\t%s\n' "$1" "$2"; }
# What pgBackRest's configuration says of an option.
configured() {
  sed -n -E "s/^ *$1 *= *//p" /etc/pgbackrest.conf /etc/pgbackrest/pgbackrest.conf /etc/pgbackrest/conf.d/*.conf 2>/dev/null |
    tail -n 1
}
say user "$(id -un)"
for program in pgbackrest psql bash flock setpriv findmnt unshare btrfs zfs lvs; do
  say "program $program" "$(command -v "$program" || true)"
done
say pgbackrest "$(pgbackrest version 2>/dev/null | sed -n 's/^pgBackRest //p')"
if [ -n "$2" ]; then
  say data "$(stat -c '%a %U' "$2" 2>/dev/null)"
  say disk-of-data "$(df -Pk "$2" 2>/dev/null | awk 'NR == 2 { print $5 }')"
else
  [ -n "$4" ] && repository=$4 || repository=$(configured repo1-path)
  say disk-of-repository "$(df -Pk "${repository:-/var/lib/pgbackrest}" 2>/dev/null | awk 'NR == 2 { print $5 }')"
fi
if command -v pgbackrest >/dev/null; then
  said=$(pgbackrest --stanza="$1" --log-level-console=off --log-level-stderr=error check 2>&1)
  say check "$? $(printf '%s' "$said" | tr '\n\t' '  ')"
  if [ -z "$2$4" ]; then
    say retention "$(configured 'repo[0-9]+-retention-(full|diff)')"
    say expire-auto "$(configured expire-auto)"
  fi
fi
# Lines by which pgBackRest of another machine comes in, each by its number.
keys=~/.ssh/authorized_keys
[ ! -e "$keys" ] || [ -r "$keys" ] || say unreadable "$keys"
grep -n SSH_ORIGINAL_COMMAND "$keys" 2>/dev/null | grep pgbackrest | while IFS=: read -r number line; do
  say "peer $number" "$line"
done
