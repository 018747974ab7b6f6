#!/usr/bin/env bash
# `npm run demo`: two throw-away Debian hosts, a Django app deployed on one of them by Conductor, drift
# repaired. `npm run demo -- --check` ends by itself with a verdict; its last line is JSON.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
[[ $(id -u) == 0 ]] || missing+=("root (the demo boots virtual hosts): sudo npm run demo")
[[ -r /etc/debian_version ]] || missing+=("Debian, or something made from it")
[[ $(uname -m) == x86_64 ]] || missing+=("an amd64 machine: the package holds amd64 programs")
for program in node npm git apt-get dpkg-deb; do
  command -v "$program" >/dev/null || missing+=("the program $program")
done
if [[ $(id -u) == 0 ]] && ! unshare --mount --pid --net --uts --ipc --fork true 2>/dev/null; then
  missing+=("namespaces (unshare --mount --pid --net is refused: is this a container?)")
fi
grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || missing+=("the file system overlayfs")
free=$(df --output=avail -k . | tail -n 1)
((free > 4000000)) || missing+=("4 GB of free disk space in $(pwd)")
if ((${#missing[@]} > 0)); then
  echo "The demo needs what this machine lacks:" >&2
  printf '  - %s\n' "${missing[@]}" >&2
  exit 1
fi

bash tools/prepare.sh
exec node_modules/.bin/tsx demo/demo.ts "$@"
