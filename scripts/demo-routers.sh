#!/bin/sh
# Routers whose secrets are rotated while links and people fail, on one screen: `sh scripts/demo-routers.sh`, as root.
# The routers are those of the tests; nothing leaves this machine.
set -eu
cd "$(dirname "$0")/.."
[ -e node_modules/.package-lock.json ] || npm ci --include=dev >&2 </dev/null
sh scripts/prepare-machine.sh
node scripts/build.js
exec node --import tsx scripts/demo-routers.ts
