#!/bin/sh
# Measures speed against baselines: `sh scripts/bench.sh [--write] [CHAPTER …]`; `bench/run.ts` names the chapters.
# --write puts the report into docs/benchmarks.md.
set -eu
cd "$(dirname "$0")/.."
[ -e node_modules/.package-lock.json ] || npm ci --include=dev </dev/null >&2
sh scripts/prepare-machine.sh
missing() {
  command -v wrk >/dev/null || echo wrk
  command -v pgbadger >/dev/null || echo pgbadger
  command -v ansible >/dev/null || echo ansible-core
}
packages=$(echo $(missing))
if [ -n "$packages" ] && [ "$(id -u)" = 0 ]; then
  { apt-get update && apt-get install --yes --no-install-recommends $packages; } </dev/null >&2
fi
packages=$(echo $(missing))
[ -z "$packages" ] || { echo "missing for the benchmarks: $packages (as root: apt-get install $packages)" >&2; exit 1; }
node scripts/build.js
# Node 20 parses this bundle at every start, which would be measured instead of the program.
unset NODE_EXTRA_CA_CERTS
exec node --import tsx bench/run.ts "$@"
