#!/usr/bin/env bash
# Makes `docker` usable for the container tests: does nothing where an engine answers already (a developer's own, say),
# else installs Debian's engine and starts it, as root, without an init system.
set -euo pipefail

log=${TMPDIR:-/tmp}/roadsafety-dockerd.log
seconds_to_wait=60

answers() { docker info >/dev/null 2>&1; }
fail() {
  echo "start_engine: $1" >&2
  exit 1
}
# The lists of packages may be missing or out of date: fetched only when the install says so.
install_package() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"
}
# A killed engine leaves files with process ids behind. dockerd takes whatever process has such an id, even a dead one
# that nobody has waited for, for an engine that still runs, and stops. Only a living process has an `exe`.
forget_if_not_running() {
  [[ ! -e $1 || "$(readlink "/proc/$(<"$1")/exe")" == */"$2"* ]] || rm -f "$1"
}

answers && exit 0
[[ $EUID -eq 0 ]] || fail "no Docker engine answers, and starting one needs root. Start yours and try again."

# One start at a time; the second caller finds the engine of the first. dockerd must not inherit the lock (9>&-).
exec 9>"$log.lock"
flock 9
answers && exit 0

if ! command -v dockerd >/dev/null; then
  command -v apt-get >/dev/null || fail "no Docker engine is installed, and there is no apt-get to install one."
  { install_package docker.io || { apt-get -qq update && install_package docker.io; }; } >"$log" 2>&1 ||
    fail "installing docker.io failed: $(tail -n 20 "$log")"
fi

forget_if_not_running /var/run/docker.pid dockerd
forget_if_not_running /var/run/docker/containerd/containerd.pid containerd

# Containers get the limit of open files that holds here: the engine's own default may be higher than the machine
# allows, and then no container starts. The storage driver and the firewall are left to the engine's own choice.
open_files=$(ulimit -n)
[[ $open_files != unlimited ]] || open_files=1048576
setsid nohup dockerd --default-ulimit "nofile=$open_files:$open_files" >"$log" 2>&1 </dev/null 9>&- &
engine=$!

for _ in $(seq $((seconds_to_wait * 10))); do
  ! answers || exit 0
  kill -0 "$engine" 2>/dev/null || break
  sleep 0.1
done
fail "dockerd ended, or did not answer within $seconds_to_wait s. The end of $log without its lines of level info:
$(grep -v level=info "$log" | tail -n 20)"
