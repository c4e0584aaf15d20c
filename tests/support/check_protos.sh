#!/usr/bin/env bash
# Checks protos/: style, compatibility with the version before, and that the generated code is up to date.
#
# "The version before" is the newest of these that exists and holds protos:
#   1. on a branch with commits of its own: where it left origin/main;
#   2. with uncommitted changes in protos/: the last commit;
#   3. otherwise: the commit before the last one that changed protos/ (comparing a commit with itself shows nothing).
# A shallow clone may lack it, and the first commit has none: then the comparison is left out, loudly. So it is when a
# change is meant to break clients, which the message of its commit says with the words BREAKING CHANGE.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

holds_protos() { [ -n "$(git ls-tree "$1" -- protos 2>/dev/null)" ]; }

version_before() {
  local fork last
  if fork=$(git merge-base HEAD origin/main 2>/dev/null) && [ "$fork" != "$(git rev-parse HEAD)" ] && holds_protos "$fork"; then
    echo "$fork"
  elif holds_protos HEAD && [ -n "$(git status --porcelain -- protos)" ]; then
    git rev-parse HEAD
  elif last=$(git log -1 --format=%H -- protos 2>/dev/null) && [ -n "$last" ] && holds_protos "$last^"; then
    git rev-parse "$last^"
  fi
}

.venv/bin/buf lint protos

before=$(version_before)
if [ -z "$before" ]; then
  echo "protos: NOT CHECKED for breaking changes: no earlier commit with protos/ in this clone" >&2
elif [[ $(git log --format=%B "$before..HEAD" -- protos) == *"BREAKING CHANGE"* ]]; then
  echo "protos: NOT CHECKED for breaking changes: a commit since ${before:0:12} declares one" >&2
else
  git archive "$before" protos | tar -x -C "$scratch"
  .venv/bin/buf breaking protos --against "$scratch/protos"
  echo "protos: compatible with commit ${before:0:12}"
  rm -rf "${scratch:?}/protos"
fi

# generate.py writes next to the folder that it lies in, so a copy generates into the copy.
cp -r protos "$scratch/protos"
mkdir "$scratch/hrnn_tuner"
.venv/bin/python "$scratch/protos/generate.py"
if ! diff -r -x __pycache__ hrnn_tuner/v1 "$scratch/hrnn_tuner/v1"; then
  echo "hrnn_tuner/v1 differs from what protos/ generates: run 'make protos' and commit the result" >&2
  exit 1
fi
echo "protos: the generated code is up to date"
