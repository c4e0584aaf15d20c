#!/usr/bin/env bash
# End-to-end test of the Compose stack (`make compose-test`): builds the images, waits until everything is healthy, runs
# the demo's tuning job through the published port with the command-line client, and takes everything down again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

cli=.venv/bin/hrnn-tuner
python=.venv/bin/python
job=compose-test

say() { printf '\n== %s\n' "$*"; }

# shellcheck source=deploy/test/engine.sh
. deploy/test/engine.sh

# -- a project of its own ---------------------------------------------------------------------------------------------
scratch=$(mktemp -d)
chmod 755 "$scratch" # the containers read it as another user
mkdir "$scratch/data" "$scratch/artifacts"
export COMPOSE_PROJECT_NAME="hrnn-tuner-test-$$" COMPOSE_FILE=deploy/compose.yaml
export HRNN_TUNER_DATA="$scratch/data" HRNN_TUNER_ARTIFACTS="$scratch/artifacts"
HRNN_TUNER_PORT=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export HRNN_TUNER_PORT
export HRNN_TUNER_VERSION=test

clean_up() {
  local status=$?
  trap - EXIT
  if [ "$status" -ne 0 ]; then
    say "failed; the last lines of every container"
    docker compose ps --all || true
    docker compose logs --no-color --tail 60 || true
  fi
  say "taking the stack down"
  timeout 180 docker compose down --volumes --remove-orphans --timeout 5 >/dev/null 2>&1 || echo "docker compose down failed" >&2
  rm -rf "$scratch"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# -- images and start -------------------------------------------------------------------------------------------------
say "building the images"
timeout 1800 docker compose --progress quiet build
docker image ls --filter 'reference=hrnn-tuner-*:test'

say "starting the stack"
started=$SECONDS
timeout 300 docker compose --progress quiet up --detach --no-build --scale worker=2 --wait --wait-timeout 240
say "healthy after $((SECONDS - started)) s"
docker compose ps --all --format 'table {{.Service}}\t{{.Status}}'

# -- a tuning job, from outside ---------------------------------------------------------------------------------------
say "preparing MovieLens 100K"
if [ -e ../shared/data/ml-100k/interactions.csv.gz ]; then
  gunzip -c ../shared/data/ml-100k/interactions.csv.gz >"$HRNN_TUNER_DATA/interactions.csv"
else
  "$python" - "$HRNN_TUNER_DATA" <<'PYTHON'
import shutil
import sys
from pathlib import Path

from hrnn_tuner.demo.movielens import prepare

folder = Path(sys.argv[1])
shutil.copyfile(prepare(folder / "movielens", None, print).interactions, folder / "interactions.csv")
PYTHON
fi

say "a tuning job from outside"
export HRNN_TUNER_SERVER="127.0.0.1:$HRNN_TUNER_PORT"
started=$SECONDS
timeout 1200 "$cli" submit hrnn_tuner/demo/tuning_job.json --name "$job" --data "interactions=/data/interactions.csv" --watch
say "completed after $((SECONDS - started)) s"
"$cli" training-jobs "$job" --sort objective

result=$("$cli" describe "$job" --output json)
"$python" - "$HRNN_TUNER_ARTIFACTS" "$result" <<'PYTHON'
import json
import sys
from pathlib import Path

artifacts, job = Path(sys.argv[1]), json.loads(sys.argv[2])
completed = job["training_job_state_counters"].get("completed", 0)
assert job["state"] == "TUNING_JOB_STATE_COMPLETED", job["state"]
assert completed == 4, f"{completed} training jobs completed, not 4"
best = job["best_training_job"]
model = artifacts / Path(best["artifact_uri"]).relative_to("/artifacts")
files = sorted(path.name for path in model.iterdir())
assert "manifest.json" in files, files
print(f"best: {best['name']}, objective {best['final_objective_value']}, artifact readable on the host: {files}")
PYTHON

say "the best model recommends, inside the worker's container"
timeout 120 docker compose exec -T worker hrnn-tuner --server api:50051 recommend --job "$job" --user 1 --count 3

say "orderly stop"
started=$SECONDS
timeout 120 docker compose stop api scheduler worker 2>/dev/null
codes=$(docker compose ps --all --format '{{.Service}} {{.ExitCode}}' api scheduler worker)
printf 'after %s s; exit codes:\n%s\n' "$((SECONDS - started))" "$codes"
if grep -qv ' 0$' <<<"$codes"; then
  echo "a service did not end in order" >&2
  exit 1
fi

say "compose-test passed"
