#!/usr/bin/env bash
# Everything a developer wants to know before a commit, in under 30 seconds: types, lint, format,
# boundaries, dead code, mirrored tests, and the unit tests that start no programs. Runs all of it, then fails if any failed.
set -uo pipefail
cd "$(dirname "$0")/.."
bash tools/prepare.sh || exit 1

failed=()
step() {
  local name=$1
  shift
  local begun=$SECONDS
  if "$@" >"build/check-$name.log" 2>&1; then
    echo "ok     $name ($((SECONDS - begun)) s)"
  else
    failed+=("$name")
    echo "FAILED $name ($((SECONDS - begun)) s)"
    cat "build/check-$name.log"
  fi
}

boundaries() {
  local report
  report=$(npx depcruise --config .dependency-cruiser.cjs --output-type err shared language protocol master minion test tools bench demo) || { echo "$report"; return 1; }
  echo "$report"
  # A cruise of no modules finds no violation: that is a broken check, not a clean tree.
  [[ $report =~ \(([0-9]+)\ modules ]] && ((BASH_REMATCH[1] > 50))
}

mkdir -p build
step types npx tsc -p tsconfig.json
step lint npx oxlint --type-aware --deny-warnings
step format npx oxfmt --check .
step boundaries boundaries
step dead-code npx knip --no-progress
step mirror node build/js/tools/check-mirror.js
[[ ${1:-} == --no-tests ]] || step unit npx ava --config ava.quick.config.js

if ((${#failed[@]} > 0)); then
  echo "check failed: ${failed[*]}"
  exit 1
fi
