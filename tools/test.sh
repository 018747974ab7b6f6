#!/usr/bin/env bash
# `npm test`: everything. Installs what it needs, then runs the unit tests and the tests on real,
# throw-away Debian hosts. The last line counts: `N passed, N failed, N skipped`.
set -uo pipefail
cd "$(dirname "$0")/.."
bash tools/prepare.sh || exit 1

echo "== building"
npx tsc -p tsconfig.json || exit 1
npm run --silent build || exit 1
echo "== Debian packages for test hosts"
npx tsx test/hosts/cli.ts prepare || echo "test hosts cannot be booted here: their tests will be counted as skipped"

node build/js/tools/run-ava.js unit ava.config.js hosts ava.hosts.config.js
