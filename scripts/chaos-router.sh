#!/bin/sh
# Rotates test routers while something goes wrong at every step: `npm run chaos:router -- --runs 500 --seed 1`. Root only.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo 'the test routers need root' >&2; exit 1; }
[ -e node_modules/.package-lock.json ] || npm ci --include=dev </dev/null >&2
sh scripts/prepare-machine.sh
node scripts/build.js
exec node --import tsx test/router/chaos/main.ts "$@"
