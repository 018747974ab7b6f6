#!/usr/bin/env bash
# Everything a developer wants to know before a commit, in under 30 seconds: types, lint, format,
# boundaries, dead code, mirrored tests, and the unit tests that start no programs. Runs all of it, then fails if any failed.
set -uo pipefail
cd "$(dirname "$0")/.."
bash tools/prepare.sh || exit 1

# May run beside others: a step that failed is told by a file.
step() {
  local name=$1
  shift
  local begun=$SECONDS
  if "$@" >"build/check-$name.log" 2>&1; then
    echo "ok     $name ($((SECONDS - begun)) s)"
  else
    touch "build/check-$name.failed"
    echo "FAILED $name ($((SECONDS - begun)) s)"
    cat "build/check-$name.log"
  fi
}

boundaries() {
  local report
  report=$(npx depcruise --config .dependency-cruiser.cjs --cache build/boundaries --cache-strategy content --output-type err shared language protocol master minion test tools bench demo) || { echo "$report"; return 1; }
  echo "$report"
  # A cruise of no modules finds no violation: that is a broken check, not a clean tree.
  [[ $report =~ \(([0-9]+)\ modules ]] && ((BASH_REMATCH[1] > 50))
}

mkdir -p build
rm -f build/check-*.failed
step types npx tsc -p tsconfig.json &
step boundaries boundaries &
step dead-code npx knip --no-progress &
step format npx oxfmt --check . &
wait
step lint npx oxlint --type-aware --deny-warnings
step mirror node build/js/tools/check-mirror.js
[[ ${1:-} == --no-tests ]] || step unit npx ava --config ava.quick.config.js

failed=(build/check-*.failed)
if [[ -e ${failed[0]} ]]; then
  failed=("${failed[@]#build/check-}")
  echo "check failed: ${failed[*]%.failed}"
  exit 1
fi
