#!/usr/bin/env bash
# versions.sh [WORDS FOR PYTEST]: the suite on every supported Python that is installed, with the oldest kfp that
# pyproject.toml admits and the newest that was looked at. Without words: all tests that need neither a Docker engine
# nor the real records. PYTHONS="3.12 3.13" chooses among them. Environments are made afresh in a temporary folder. The
# pins of constraints.txt hold, but for kfp and what it needs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

newest=2.17.3 # when this was last looked at: a release of today must not change what is tested
oldest=$(sed -n 's/^ *"kfp>=\([0-9.]*\),.*/\1/p' pyproject.toml)
words=("$@")
[[ ${#words[@]} -gt 0 ]] || words=(tests)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset ROADSAFETY_REAL_DATA

interpreter() { # of a version, as an installation or a version manager names it
  local candidate
  for candidate in "python$1" "$HOME"/.pyenv/versions/"$1".*/bin/python; do
    if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
}

# What kfp pins has to follow it.
grep -vE '^(kfp.*|certifi|click|docstring_parser|google.*|kubernetes|protobuf|PyYAML|requests.*|tabulate|urllib3)==' \
  constraints.txt >"$work/constraints.txt"

run() { # PYTHON KFP
  local python=$1 kfp=$2 bin="$work/environment/bin"
  rm -rf "$work/environment"
  "$python" -m venv "$work/environment"
  "$bin/pip" install -qq --disable-pip-version-check --constraint "$work/constraints.txt" \
    "kfp==$kfp" "kfp-kubernetes==$kfp" --editable '.[dev]'
  echo "== $("$bin/python" --version), kfp $("$bin/python" -c 'import kfp; print(kfp.__version__)')"
  "$bin/pip" check
  "$bin/roadsafety" specs check
  # The pages of docs/ name the pinned versions.
  "$bin/pytest" -q -m 'not container and not benchmark and not real_data' --ignore=tests/docs "${words[@]}" \
    >"$work/log" || { tail -n 60 "$work/log"; return 1; }
  tail -n 1 "$work/log"
}

ran=0
for version in ${PYTHONS:-3.11 3.12 3.13}; do
  python=$(interpreter "$version")
  [[ -n $python ]] || { echo "== Python $version: not installed here"; continue; }
  kfp=$newest
  [[ $version != 3.12 ]] || kfp=$oldest # one of them with the oldest
  run "$python" "$kfp"
  ran=$((ran + 1))
done
[[ $ran -gt 0 ]] || { run python3 "$oldest"; run python3 "$newest"; }
