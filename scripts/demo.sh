#!/bin/sh
# The whole story on one screen, from a fresh clone: `sh scripts/demo.sh`.
set -eu
cd "$(dirname "$0")/.."
[ -e node_modules/.package-lock.json ] || npm ci --include=dev >&2 </dev/null
[ -e dist/main.js ] || node scripts/build.js
exec node bin/run.js demo "$@"
