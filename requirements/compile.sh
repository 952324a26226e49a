#!/usr/bin/env bash
# Writes image.txt, serving.txt and build.txt from the .in files: every package, the versions of constraints.txt, the
# hashes of every published file (so of the wheels for each Python and processor), no address of an index.
set -euo pipefail
python=$(command -v "${PYTHON:-python3}")
python=$(realpath --no-symlinks "$python")
cd "$(dirname "$0")"

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"$python" -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9

locked() {
  "$tools/bin/uv" pip compile --quiet --no-config --no-header --no-annotate --generate-hashes --constraint ../constraints.txt \
    --only-binary :all: --python-version 3.11 --python-platform linux "$@"
}
head_line() { echo "# Written by \`make requirements\` from $1 and constraints.txt."; }

{ head_line image.in && locked image.in && echo kfp | locked --no-deps -; } >"$tools/image.txt"
mapfile -t in_the_image < <(sed -n 's/^\([^ ]*\)==.*/--no-emit-package=\1/p' "$tools/image.txt")
{ head_line serving.in && locked "${in_the_image[@]}" serving.in; } >"$tools/serving.txt"
{ head_line build.in && locked build.in; } >"$tools/build.txt"
mv "$tools"/{image,serving,build}.txt .
