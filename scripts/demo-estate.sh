#!/bin/sh
# Databases and their backups, proven while machines fail, on one screen: `sh scripts/demo-estate.sh`, as root.
# The machines are those of the tests; nothing leaves this machine.
set -eu
cd "$(dirname "$0")/.."
[ -e node_modules/.package-lock.json ] || npm ci --include=dev >&2 </dev/null
sh scripts/prepare-machine.sh
node scripts/build.js
exec node --import tsx scripts/demo-estate.ts
