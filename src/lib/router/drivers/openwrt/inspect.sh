# What a router that runs OpenWrt, or RutOS, is set to and has on air, a fact a line. For busybox ash, by the commands
# that stock firmware has. Changes nothing. Secrets are hashed here and stay here: `digest` is the SHA-256 of a salt,
# the first line of stdin, and the secret. `end` stands last, so that half an answer is known for one.
set -f
IFS= read -r SALT

line() { printf '%s\n' "$*" | tr -d '\r\000-\010\013-\037'; }

. /etc/openwrt_release 2>/dev/null
line firmware "$DISTRIB_ID" "$DISTRIB_RELEASE"
[ -r /etc/version ] && line firmware RutOS "$(head -n 1 /etc/version)"
line hostname "$(cat /proc/sys/kernel/hostname)"
line model "$(cat /tmp/sysinfo/model 2>/dev/null)"
line serial "$(mnf_info --sn 2>/dev/null || cat /proc/device-tree/serial-number 2>/dev/null)"
ip link 2>/dev/null | sed -nE 's/.*link\/ether ([0-9a-f:]+).*/mac \1/p' | sort -u

sections() { uci -q -X show "$1" | sed -n "s/^$1\.\([^.=]*\)=$2\$/\1/p"; }
option() { uci -q get "$1.$2.$3" | head -n 1; }

wireless_facts
# The status holds the passphrases: two names of each interface are taken out of it, and nothing else.
ubus call network.wireless status 2>/dev/null | sed -nE 's/^.*"(section|ifname)": *"([A-Za-z0-9_.-]+)".*$/\1 \2/p' |
  while read -r name value; do
    if [ "$name" = section ]; then section=$value; else line interface "$value" "$section"; fi
  done
air_facts

for section in $(sections dropbear dropbear); do
  port=$(option dropbear "$section" Port)
  password=$(option dropbear "$section" PasswordAuth)
  root=$(option dropbear "$section" RootPasswordAuth)
  line ssh "${port:-22}" "${password:-on}" "${root:-on}"
done
# Public keys, without the words behind them.
sed -nE 's/^([^#]* )?((ssh|ecdsa|sk)-[A-Za-z0-9@.-]+) +(AAAA[A-Za-z0-9+\/=]+).*/key \2 \4/p' \
  /etc/dropbear/authorized_keys 2>/dev/null

while IFS=: read -r name field _; do
  case $field in
  '') state=empty ;;
  '!'* | '*'* | x) state=locked ;;
  *) state=set ;;
  esac
  line account "$name" "$state"
done </etc/shadow

OPEN=/etc/cleverctl/open
if [ -d "$OPEN" ]; then
  state=begun
  for one in armed undoing confirmed; do [ -e "$OPEN/$one" ] && state=$one && break; done
  line change "$state" "$(cat "$OPEN/id" 2>/dev/null)"
fi
uci -q changes | sed -nE 's/^-?([A-Za-z0-9_-]+)\..*/\1/p' | sort | uniq -c |
  while read -r count package; do line staged "$package" "$count"; done
df -k /etc | awk 'END { print "flash", $(NF - 2), $(NF - 4) }'
echo end
