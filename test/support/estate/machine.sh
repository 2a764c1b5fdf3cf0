#!/bin/bash
# The first process of one machine of the estate: `machine.sh NAME FOLDER`, in namespaces of its own. Its root is
# an overlay over the real one, written to the machine's own disk, so that it has every program and shares no file.
set -euo pipefail
name=$1 folder=$2 root=$2/root disk=$2/disk
hostname "$name"

mkdir -p "$root" "$disk"
mount -o loop,noatime "$folder/disk.img" "$disk"
mkdir -p "$disk/upper" "$disk/work" "$disk/postgresql" "$disk/snapshots"
chmod 700 "$disk" "$disk/snapshots"
mount -t overlay -o "lowerdir=/,upperdir=$disk/upper,workdir=$disk/work" overlay "$root"

mount -t proc proc "$root/proc"
for place in run tmp home opt dev; do
  [ -d "$root/$place" ] && mount -t tmpfs -o mode=755 tmpfs "$root/$place"
done
chmod 1777 "$root/tmp"
mkdir -p "$root/run/sshd" "$root/run/lock" "$root/dev/pts" "$root/dev/shm"
install -d -o postgres -g postgres -m 2775 "$root/run/postgresql"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for device in null zero full random urandom tty; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
chown postgres: "$disk/postgresql"
mount --bind "$disk/postgresql" "$root/var/lib/postgresql"
mkdir -p "$root/disk" "$disk/root" "$root/srv" "$disk/srv"
mount --bind "$disk" "$root/disk"
mount --bind "$disk/srv" "$root/srv"
mount --bind "$disk/root" "$root/root"

mkdir -p "$root/.outside"
cd "$root"
pivot_root . .outside
umount -l /.outside

# What an earlier life of the machine has set up comes back, as services do.
if [ -e /etc/estate/sshd ]; then /usr/sbin/sshd -E /var/log/sshd.log; fi
if [ -e /etc/estate/postgresql ]; then
  . /etc/estate/postgresql
  setpriv --reuid postgres --regid postgres --init-groups env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 \
    "$programs/pg_ctl" -D "$data" -s -W start </dev/null >>/var/log/postgresql/start.log 2>&1 || true
fi
: >/run/booted
# Whoever is orphaned is taken leave of while this waits.
trap 'exit 0' TERM INT
sleep infinity &
wait
