# The configuration of one repository on one machine: $file, of which the former state is kept beside until all machines
# have the new one and it was seen to work. Runs as root behind install.sh; $number, $user and $file are set.
main=/etc/pgbackrest/pgbackrest.conf
[ -e "$main" ] || main=/etc/pgbackrest.conf
group=$(id -gn "$user") || { echo "there is no user $user" >&2; exit 65; }

# Nobody else's file may speak of this repository: pgBackRest would read both.
require_free() {
  [ -d "${file%/*}" ] || install -d -m 755 /etc/pgbackrest "${file%/*}"
  taken=$(find "$main" "${file%/*}" -name '*.conf' ! -path "$file" -exec grep -l "^[[:space:]]*repo$number-" {} +) || true
  [ -z "$taken" ] || { echo "repo$number is in $taken already" >&2; exit 66; }
}

# Once: what a killed run wrote must not be taken for the former state. An empty one says that there was none.
keep_former() {
  [ ! -e "$file.before" ] || return 0
  if [ -e "$file" ]; then cp -p "$file" "$file.keeping"; else : >"$file.keeping"; fi
  sync "$file.keeping"
  mv "$file.keeping" "$file.before"
}

# configure: gives the machine the configuration of stdin.
configure() {
  keep_former
  replace "$file" 640 root "$group"
}

# The way from a database host to the backup machine: that of a repository which is there already, else $1.
way_to_backups() {
  echo '[global]'
  known=$(sed -n 's/^[[:space:]]*repo\([0-9][0-9]*\)-host[[:space:]]*=.*/\1/p' "$main" 2>/dev/null | head -n 1)
  if [ -n "$known" ]; then
    sed -n "s/^[[:space:]]*repo$known-host/repo$number-host/p" "$main"
  else
    echo "$1"
  fi
}

put_back() {
  if [ ! -e "$file.before" ]; then
    echo "unchanged $file"
    return
  elif [ -s "$file.before" ]; then
    mv "$file.before" "$file"
  else
    rm -f "$file"
    rm "$file.before"
  fi
  echo "changed $file"
  forget_unused
}

settle() {
  rm -f "$file.before"
  forget_unused
}

take_out() {
  if [ -e "$file" ]; then
    rm "$file"
    echo "changed $file"
  else
    echo "unchanged $file"
  fi
  settle
}

# Files that no configuration names any more.
forget_unused() {
  for kept in $(find /etc/pgbackrest -maxdepth 1 -name "cleverctl-repo$number-*"); do
    grep -qsF "$kept" "$file" "$file.before" || rm "$kept"
  done
}
