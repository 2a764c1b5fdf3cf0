#!/bin/sh
# Installs from Debian the programs that tests run, if they are missing: `sh scripts/prepare-machine.sh`.
# Installing takes root; otherwise, and when Debian cannot be reached, it says what is missing.
# Exit code 1: something is missing without which tests fail.
set -u

required() {
  ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || echo postgresql
  command -v openssl >/dev/null || echo openssl
  command -v setpriv >/dev/null || echo util-linux
  command -v script >/dev/null || echo bsdutils
  # The programs themselves: elsewhere than in root's PATH they are found by their full names.
  [ -x /usr/sbin/sshd ] || echo openssh-server
  command -v ssh-keygen >/dev/null || echo openssh-client
  [ -x /usr/sbin/dropbear ] || echo dropbear-bin
  # Without it only the routers of the tests are missing; the other package of busybox lacks what they need.
  busybox --list 2>/dev/null | grep -qx passwd || echo busybox-static
  [ -x /usr/sbin/ip ] || [ -x /sbin/ip ] || echo iproute2
}

# Without these, tests are left out, which their report shows.
optional() {
  command -v zsh >/dev/null || echo zsh
  command -v nginx >/dev/null || echo nginx-light
  [ -x /usr/bin/chromium ] || echo chromium
  [ -x /usr/sbin/pgbouncer ] || echo pgbouncer
  command -v pgbackrest >/dev/null || echo pgbackrest
  command -v mkfs.btrfs >/dev/null || [ -x /usr/sbin/mkfs.btrfs ] || echo btrfs-progs
  command -v ip >/dev/null || [ -x /usr/sbin/ip ] || echo iproute2
}

packages=$(echo $(required) $(optional))
[ -z "$packages" ] && exit 0

if [ "$(id -u)" = 0 ]; then
  echo "installing for the tests: $packages" >&2
  # The tests make clusters of their own: PostgreSQL's package must not make one and start it.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] ||
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  # Nor may a package start a server of its own, as nginx does on port 80 and OpenSSH on port 22: Debian asks this file.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
  fi
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update && apt-get install --yes --no-install-recommends $packages; } </dev/null >&2
fi

packages=$(echo $(required) $(optional))
[ -z "$packages" ] && exit 0
echo "missing for the tests: $packages (as root: apt-get install $packages)" >&2
[ -z "$(required)" ]
