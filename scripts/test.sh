#!/bin/sh
# Everything that has to hold, on a machine with nothing but Node.js: `sh scripts/test.sh [mocha arguments]`.
# Without arguments files run side by side, as many as there are processors, and then, one after the other, those that
# say `// Runs alone:` with the reason. The last line says how many tests passed and failed.
set -u
cd "$(dirname "$0")/.." || exit 1

run() {
  node_modules/.bin/mocha --reporter scripts/closing-line.cjs "$@" </dev/null
}

# The files that take longest come first, so that no processor is left with one of them at the end.
run_all() {
  alone=$(grep -rl --include='*.test.ts' '^// Runs alone: ' test)
  jobs=$(getconf _NPROCESSORS_ONLN)
  # Each may have four machines with a disk, and a system has few devices for disks in files.
  [ "$jobs" -le 4 ] || jobs=4
  counts=$(mktemp) || return 1
  trap 'rm -f "$counts"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  run --parallel --jobs "$jobs" --reporter-option "counts=$counts" $(printf -- '--ignore %s ' $alone) \
    'test/**/*.cli.test.ts' 'test/**/*.db.test.ts' 'test/**/*.unit.test.ts'
  together=$?
  # Without its numbers the first part came to no end.
  [ -s "$counts" ] || return 1
  run --reporter-option "counts=$counts" $alone && return $together
}

[ -e node_modules/.package-lock.json ] || npm ci --include=dev </dev/null >&2 || exit 1
sh scripts/prepare-machine.sh
prepared=$?
# Azure for the tests of the estate, with half as many packages again as everything else. Without it those tests are left
# out, which their report shows.
azurite=test/support/estate/azurite
[ -e $azurite/node_modules/.package-lock.json ] || npm ci --prefix $azurite --omit=dev </dev/null >&2 ||
  echo "missing for the tests: Azurite (npm ci --prefix $azurite)" >&2
node scripts/build.js || exit 1
if [ $# = 0 ]; then run_all; else run "$@"; fi
passed=$?
[ $prepared = 0 ] && exit $passed
exit 1
