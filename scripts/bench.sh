#!/bin/sh
# Measures speed against baselines: `sh scripts/bench.sh [--write] [start-up|embedded|scan|sessions|import|routers|gate|workers|revocation|adoption|million …]`.
# --write puts the report into docs/benchmarks.md.
set -eu
cd "$(dirname "$0")/.."
[ -e node_modules/.package-lock.json ] || npm ci --include=dev </dev/null >&2
sh scripts/prepare-machine.sh
if ! command -v wrk >/dev/null && [ "$(id -u)" = 0 ]; then
  { apt-get update && apt-get install --yes --no-install-recommends wrk; } </dev/null >&2
fi
if ! command -v pgbadger >/dev/null && [ "$(id -u)" = 0 ]; then
  { apt-get update && apt-get install --yes --no-install-recommends pgbadger; } </dev/null >&2
fi
command -v wrk >/dev/null || { echo 'missing for the benchmarks: wrk (as root: apt-get install wrk)' >&2; exit 1; }
node scripts/build.js
# Node 20 parses this bundle at every start, which would be measured instead of the program.
unset NODE_EXTRA_CA_CERTS
exec node --import tsx bench/run.ts "$@"
