# Changes secrets of a router that runs OpenWrt, so that it ends with exactly the old or the new ones. For busybox ash.
#
#   sh change.sh look SALT               what is set and what is on air: digests, never a secret
#   sh change.sh arm ID SECONDS PART…    from now on the router goes back by itself, unless it is confirmed in time
#   sh change.sh apply ID < orders       set, station, clone, delete, password; `end` closes the list
#   sh change.sh confirm ID              the change stays
#   sh change.sh undo ID                 back to what was
#
# Exit codes: 0 done; 2 orders that are none; 3 too late, or another change; 73 another change is open; 74 a program of
# the router failed; 75 somebody else edits; 77 too little room on the flash. PARTs are `wireless`, and accounts.
#
# What decides is the rename of one file, armed -> confirmed or armed -> undoing. It is on flash and atomic: after a
# power cut, a lost link or two engineers at once there is one answer, and `last` keeps it.
set -f
umask 077
ROOT=/etc/cleverctl
OPEN=$ROOT/open
HOOK=/etc/init.d/cleverctl
HOOK_LINK=/etc/rc.d/S19cleverctl
WIRELESS=/etc/config/wireless
SHADOW=/etc/shadow

fail() {
  code=$1
  shift
  echo "$*" >&2
  exit "$code"
}

sum() { sha256sum <"$1" 2>/dev/null | cut -d' ' -f1; }

# A commit on a full flash says that all is well and leaves an empty file: so much must be free before one.
enough_room() {
  needed=$(($(cat "$WIRELESS" "$SHADOW" | wc -c) * 4 / 1024 + 48))
  [ "$(df -k /etc | awk 'END { print $(NF - 2) }')" -ge "$needed" ] || fail 77 'the flash is full'
}

nothing_staged() { [ -z "$(uci changes)" ] || fail 75 'somebody has edits that are not saved'; }

is_ours() { [ "$(cat "$OPEN/id" 2>/dev/null)" = "$1" ]; }

state() {
  for one in armed undoing confirmed; do [ -e "$OPEN/$one" ] && echo "$one" && return; done
  if [ -d "$OPEN" ]; then echo begun; else echo none; fi
}

# Ends a change, and keeps how it ended. Power may fail between any two lines.
finish() {
  echo "$1 $(cat "$OPEN/id")" >"$ROOT/last.new" && mv "$ROOT/last.new" "$ROOT/last"
  forget
}

forget() {
  rm -f "$HOOK_LINK" "$HOOK"
  rm -rf "$OPEN"
  sync
}

look() {
  SALT=$1
  echo "change $(state) $(cat "$OPEN/id" 2>/dev/null)"
  echo "last $(cat "$ROOT/last" 2>/dev/null)"
  echo "staged $(uci changes | wc -l)"
  wireless_facts
  echo "beside $(beside)"
  sed -nE 's/^(root|admin):([^:]+):.*/\1 \2/p' "$SHADOW" | while read -r account field; do
    echo "account $account $(salted "$field")"
  done
  air_facts
  echo end
}

# With which encryptions a section `wifi-station` is a further passphrase, by the scripts that write what hostapd reads
# (OpenWrt: hostapd.sh, in newer releases ap.uc). RutOS gives such sections to groups of their own.
SCRIPT=/lib/netifd/hostapd.sh
NEWER_SCRIPT=/usr/share/ucode/wifi/ap.uc
beside() {
  if [ -e "$NEWER_SCRIPT" ]; then
    echo psk
    grep -q ff:ff:ff:ff:ff:ff "$NEWER_SCRIPT" && echo sae
  elif ! grep -qs psk_group "$SCRIPT"; then
    grep -qs '^hostapd_set_psk()' "$SCRIPT" && echo psk
    grep -qs '^hostapd_set_sae()' "$SCRIPT" && echo sae
  fi | tr '\n' ' '
}

arm() {
  id=$1 seconds=$2
  shift 2
  case $(state) in
    none) ;;
    begun) forget ;; # whoever began it was cut off before anything was changed
    *) fail 73 "change $(cat "$OPEN/id") is open" ;;
  esac
  nothing_staged
  enough_room
  prepare "$id" "$@" || {
    forget
    fail 77 'the flash is full'
  }
  # Neither the end of this connection nor the lock of this run may hold it.
  (
    trap '' HUP
    sleep "$seconds"
    exec sh "$OPEN/change.sh" undo "$id"
  ) </dev/null >/dev/null 2>&1 9>&- &
}

prepare() {
  mkdir -p "$OPEN" && echo "$1" >"$OPEN/id" && cp "$0" "$OPEN/change.sh" || return
  shift
  for part; do
    file=$SHADOW
    if [ "$part" = wireless ]; then file=$WIRELESS; else echo "$part" >>"$OPEN/accounts"; fi
    copy=$OPEN/${file##*/}
    cp -p "$file" "$copy" && [ -s "$copy" ] && [ "$(sum "$copy")" = "$(sum "$file")" ] || return
  done
  cat >"$HOOK" <<'END'
#!/bin/sh /etc/rc.common
START=19
boot() { [ ! -f /etc/cleverctl/open/change.sh ] || sh /etc/cleverctl/open/change.sh boot; }
start() { :; }
END
  chmod 755 "$HOOK" && ln -sf ../init.d/cleverctl "$HOOK_LINK" || return
  # `armed` must not reach the flash before the rest.
  sync
  : >"$OPEN/armed" && sync
}

apply() {
  is_ours "$1" && [ -e "$OPEN/armed" ] || fail 3 'too late'
  read_orders
  for file in "$WIRELESS" "$SHADOW"; do
    copy=$OPEN/${file##*/}
    [ ! -f "$copy" ] || [ "$(sum "$copy")" = "$(sum "$file")" ] || fail 75 'somebody has saved edits meanwhile'
  done
  # What fails half-way is put back here and now: whoever called may be gone.
  (carry_out) || {
    code=$?
    undo "$1"
    exit "$code"
  }
  [ -z "$batch" ] || wifi reload >/dev/null 2>&1
  true
}

carry_out() {
  [ -z "$batch" ] || set_wireless
  [ -z "$passwords" ] || set_passwords
  sync
}

# The list is read whole before the first order is carried out: a connection that is cut leaves half of it.
read_orders() {
  batch='' passwords='' changes='' orders=0
  while IFS=' ' read -r verb first second value; do
    case $second$value in *[!A-Za-z0-9_-]*) fail 2 'a value with other characters' ;; esac
    case $verb in
      set) change "$first.$second" "set wireless.$first.$second='$value'" ;;
      station) add_station "$first" "$second" ;;
      clone) clone "$first" "$second" ;;
      delete) change "$first" "delete wireless.$first" ;;
      password) passwords="$passwords$first $second$NEWLINE" ;;
      end) return ;;
      *) fail 2 'not an order' ;;
    esac
  done
  fail 2 'the list of orders is cut'
}

NEWLINE='
'
change() {
  changes="$changes$1$NEWLINE"
  batch="$batch$2$NEWLINE"
  orders=$((orders + 1))
}

add_station() {
  change "$1" "set wireless.$1='wifi-station'"
  change "$1.key" "set wireless.$1.key='$2'"
  # The newer script knows for everybody by this address alone, and the one before, with SAE, by none.
  [ ! -e "$NEWER_SCRIPT" ] || change "$1.mac" "set wireless.$1.mac='00:00:00:00:00:00'"
}

# An access point like another one, but for its name, its keys, and what must be its own: addresses, WPS, roaming.
clone() {
  change "$1" "set wireless.$1='wifi-iface'"
  copied=$(uci -q -X show "wireless.$2" </dev/null | awk -v to="$1" -v q="'" '
    BEGIN {
      token = q "[^" q "]*" q "(\\\\" q q "[^" q "]*" q ")*"
      own = "^(ssid|key[1-4]?|ifname|macaddr|bssid|wps_.*|ieee80211r|ft_.*|mobility_domain|nasid|r[01]_?k.*|pmk_r1_push|" \
        "wpa_psk_file|sae_password.*|owe_.*|multi_ap.*)$"
    }
    {
      at = index($0, "=")
      if (split(substr($0, 1, at - 1), path, ".") < 3 || path[3] ~ own) next
      rest = substr($0, at + 1)
      count = 0
      while (match(rest, "^ ?" token)) { value[++count] = substr(rest, 1, RLENGTH); rest = substr(rest, RLENGTH + 1) }
      for (i = 1; rest == "" && i <= count; i++) {
        sub(/^ /, "", value[i])
        print (count == 1 ? "set" : "add_list") " wireless." to "." path[3] "=" value[i]
      }
    }')
  while IFS= read -r line; do
    path=${line#* wireless.}
    [ -z "$line" ] || change "${path%%=*}" "$line"
  done <<END
$copied
END
}

set_wireless() {
  nothing_staged
  enough_room
  printf %s "$changes" >"$OPEN/changes" && sync
  # `uci batch` ends with 0 whatever failed: what it says, and what is staged afterwards, tell.
  told=$(printf %s "$batch" | uci batch 2>&1 >/dev/null)
  if [ -n "$told" ] || [ "$(uci changes | wc -l)" -ne "$orders" ]; then
    revert_staged
    fail 74 'uci did not take the change'
  fi
  uci commit wireless
  [ -s "$WIRELESS" ] || fail 77 'the flash is full'
  sum "$WIRELESS" >"$OPEN/after-wireless"
}

set_passwords() {
  enough_room
  printf %s "$passwords" | while read -r account password; do
    if command -v chpasswd >/dev/null; then
      printf '%s:%s\n' "$account" "$password" | chpasswd
    else
      printf '%s\n%s\n' "$password" "$password" | passwd "$account"
    fi >/dev/null 2>&1 || fail 74 "the router did not take a password for $account"
    was=$(grep "^$account:" "$OPEN/shadow")
    is=$(grep "^$account:." "$SHADOW") && [ "$is" != "$was" ] || fail 74 "the router lost the password of $account"
  done || exit
  [ "$(wc -l <"$SHADOW")" -eq "$(wc -l <"$OPEN/shadow")" ] || fail 74 'the router lost accounts'
  sum "$SHADOW" >"$OPEN/after-shadow"
}

confirm() {
  is_ours "$1" || fail 3 'another change'
  if [ ! -e "$OPEN/confirmed" ]; then
    mv "$OPEN/armed" "$OPEN/confirmed" 2>/dev/null || fail 3 'too late'
    sync
  fi
  finish confirmed
}

undo() {
  is_ours "$1" || fail 3 'another change'
  case $(state) in
    confirmed) fail 3 'it is confirmed' ;;
    begun) finish undone && return ;; # the copies may be half
    armed) mv "$OPEN/armed" "$OPEN/undoing" && sync ;;
  esac
  revert_staged
  put_back wireless "$WIRELESS"
  put_back shadow "$SHADOW"
  [ ! -f "$OPEN/changes" ] || wifi reload >/dev/null 2>&1
  finish undone
  logger -t cleverctl "change $1 was not confirmed and is undone"
}

# What was staged here and is not saved must not be saved later by somebody else.
revert_staged() {
  [ -f "$OPEN/changes" ] || return
  while read -r change; do uci -q revert "wireless.$change"; done <"$OPEN/changes"
}

# By a rename, which needs no room on the flash. Edits that somebody else saved since then stay.
put_back() {
  copy=$OPEN/$1
  [ -f "$copy" ] || return
  after=$(cat "$OPEN/after-$1" 2>/dev/null)
  if [ -n "$after" ] && [ -s "$2" ] && [ "$(sum "$2")" != "$after" ]; then
    "put_back_in_$1"
    rm -f "$copy"
  else
    mv "$copy" "$2"
  fi
  sync
}

put_back_in_wireless() {
  while read -r change; do
    old=$(uci -q -c "$OPEN" get "wireless.$change" | sed "s/'/'\\\\''/g")
    if [ -n "$old" ]; then echo "set wireless.$change='$old'"; else echo "delete wireless.$change"; fi
  done <"$OPEN/changes" | uci -q batch
  uci commit wireless
}

put_back_in_shadow() {
  awk -F: 'FILENAME ~ /accounts$/ { wanted[$1] = 1; next }
    FILENAME ~ /open.shadow$/ { if ($1 in wanted) old[$1] = $0; next }
    { print ($1 in old) ? old[$1] : $0 }' "$OPEN/accounts" "$OPEN/shadow" "$SHADOW" >"$OPEN/shadow.new"
  [ -s "$OPEN/shadow.new" ] && mv "$OPEN/shadow.new" "$SHADOW"
}

# A power cut came between: what was not confirmed goes back before the network comes up.
boot() {
  case $(state) in
    armed | undoing) undo "$(cat "$OPEN/id")" ;;
    confirmed) finish confirmed ;;
    begun) forget ;;
  esac
}

# One at a time, the timer's undo included; the lock is in memory and goes with its process.
exec 9>/tmp/cleverctl.lock
flock 9
case $1 in look | arm | apply | confirm | undo | boot) "$@" ;; *) fail 2 'not a verb' ;; esac
