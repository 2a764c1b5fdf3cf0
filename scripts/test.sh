#!/bin/sh
# Everything that has to hold, on a machine with nothing but Node.js: `sh scripts/test.sh [mocha arguments]`.
# The last line says how many tests passed and failed.
set -u
cd "$(dirname "$0")/.." || exit 1

[ -e node_modules/.package-lock.json ] || npm ci --include=dev </dev/null >&2 || exit 1
sh scripts/prepare-machine.sh
prepared=$?
node scripts/build.js || exit 1
node_modules/.bin/mocha --reporter scripts/closing-line.cjs "$@" </dev/null
passed=$?
[ $prepared = 0 ] && exit $passed
exit 1
