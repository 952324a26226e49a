#!/usr/bin/env bash
# make_base_image.sh [IMAGE]: gives the engine an IMAGE (default python:3.11-slim) where no image registry is reached.
#
# An image of that name that this script did not make is left alone: with a registry at hand, `docker pull` it first.
# The stand-in is Debian bookworm with its Python 3.11, plus what pip on this machine needs to reach its packages
# (pip_settings.py), so that `pip install` in a Dockerfile or in a step of a pipeline works with no extra argument.
# It is made for this machine only: never push it, nor what is built on it.
set -euo pipefail
umask 022 # what the image holds must be readable by every user in a container

image=${1:-python:3.11-slim}
system=roadsafety-test/debian-python:bookworm
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
label=roadsafety.test.pip-settings

fail() {
  echo "make_base_image: $1" >&2
  exit 1
}
install_package() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"
}
# apt's own configuration says where Debian comes from.
bookworm_mirror() {
  # shellcheck disable=SC2016  # apt-get fills in $(REPO_URI), not the shell
  apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' 'Origin: Debian' 'Codename: bookworm' 'Component: main' 2>/dev/null | head -n 1
}

"$here/start_engine.sh"
# The certificates of a machine can change while its images stay, so the image is labelled with what it was given.
label_of() { docker image inspect --format "{{with .Config.Labels}}{{index . \"$label\"}}{{end}}" "$1" 2>/dev/null; }
if made_with=$(label_of "$image") && [[ -z $made_with ]]; then
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
mkdir "$work/files"
"${PYTHON:-python3}" "$here/pip_settings.py" "$work/files"
settings=$(cd "$work/files" && find . -type f -print0 | sort -z | xargs -0r sha256sum | sha256sum | cut -d' ' -f1)

# One at a time; the second caller finds the image of the first.
exec 9>"${TMPDIR:-/tmp}/roadsafety-base-image.lock"
flock 9
[[ "$(label_of "$image")" != "$settings" ]] || exit 0

if ! docker image inspect "$system" >/dev/null 2>&1; then
  [[ $EUID -eq 0 ]] || fail "making $image needs root (debootstrap); or pull it from a registry."
  command -v apt-get >/dev/null || fail "making $image needs Debian's apt-get and debootstrap; or pull it from a registry."
  { command -v debootstrap || install_package debootstrap || { apt-get -qq update && install_package debootstrap; }; } \
    >"$work/log" 2>&1 || fail "installing debootstrap failed: $(tail -n 20 "$work/log")"
  mirror=$(bookworm_mirror)
  [[ -n $mirror ]] || { apt-get -qq update && mirror=$(bookworm_mirror); }
  [[ -n $mirror ]] || fail "apt on this machine knows no Debian bookworm; pull $image from a registry."
  debootstrap --variant=minbase --include=ca-certificates,python-is-python3,python3,python3-pip,python3-venv \
    bookworm "$work/root" "$mirror" >"$work/log" 2>&1 || fail "debootstrap failed: $(tail -n 20 "$work/log")"
  # Left out: what only a person reads, what apt can fetch again, and Debian's ban on pip outside of a virtual
  # environment, which the image that this one stands for does not have.
  tar -C "$work/root" -c \
    --exclude='./dev/*' --exclude='./var/cache/*' --exclude='./var/lib/apt/lists/*' --exclude='./var/log/*' \
    --exclude='./usr/share/doc/*' --exclude='./usr/share/info/*' --exclude='./usr/share/locale/*' \
    --exclude='./usr/share/man/*' --exclude='./usr/lib/python3*/EXTERNALLY-MANAGED' . |
    docker import \
      --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8' \
      --change 'CMD ["python3"]' - "$system" >/dev/null
fi

printf 'FROM %s\nCOPY files /\nLABEL %s=%s\n' "$system" "$label" "$settings" >"$work/Dockerfile"
# The two files are small, but the folder of the system beside them is not: only they are sent to the engine.
tar -C "$work" -c Dockerfile files | docker build --quiet --tag "$image" - >/dev/null 2>"$work/log" ||
  fail "adding the settings of pip to $image failed: $(tail -n 20 "$work/log")"
