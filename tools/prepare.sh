#!/usr/bin/env bash
# Brings a fresh clone to where everything else can run: Node is new enough, npm packages are those
# of the lock file. Quick when there is nothing to do.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
  echo "error: Conductor needs Node 20.19 or newer; this is $(node --version 2>/dev/null || echo 'no Node at all')" >&2
  exit 1
fi

stamp=node_modules/.conductor-lock
if ! cmp --silent package-lock.json "$stamp"; then
  echo "== installing npm packages (node_modules/)"
  npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json "$stamp"
fi
