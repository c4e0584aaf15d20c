#!/usr/bin/env bash
# End-to-end test of the Compose stack (`make compose-test`): builds the images, waits until everything is healthy, runs
# the demo's tuning job through the published port with the command-line client, kills a worker, a scheduler and the broker
# in the middle, checks the result, and takes everything down again.
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
base=$(docker image inspect --format '{{.Size}}' python:3.11-slim-bookworm)
for image in hrnn-tuner-{api,scheduler,worker}:test; do
  size=$(docker image inspect --format '{{.Size}}' "$image")
  components=$(docker run --rm "$image" python -c \
    'import json; print(len(json.load(open("/venv/sbom.cdx.json"))["components"]))')
  printf '%-26s %5d MB: %5d MB on top of its base image; %s components in its list\n' \
    "$image" $((size / 1000000)) $(((size - base) / 1000000)) "$components"
done
for override in gpu observability s3; do
  docker compose -f deploy/compose.yaml -f "deploy/compose.$override.yaml" config --quiet
done

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

say "a tuning job from outside, with kills in the middle"
export HRNN_TUNER_SERVER="127.0.0.1:$HRNN_TUNER_PORT"
started=$SECONDS
"$cli" submit hrnn_tuner/demo/tuning_job.json --name "$job" --data "interactions=/data/interactions.csv" >/dev/null

training() { # how many training jobs are in the secondary state TRAINING
  "$cli" training-jobs "$job" --output json | grep -c '"SECONDARY_STATE_TRAINING"' || true
}
up() { timeout 300 docker compose --progress quiet up --detach --no-build --no-recreate --scale worker=2 --wait --wait-timeout 240; }

for _ in $(seq 120); do [ "$(training)" -ge 2 ] && break; sleep 0.5; done
[ "$(training)" -ge 2 ] || { echo "no two training jobs train after a minute" >&2; exit 1; }
echo "kill -9: a worker and a scheduler"
docker kill --signal KILL "$(docker compose ps --quiet worker | head -1)" "$(docker compose ps --quiet scheduler | head -1)" >/dev/null
up
echo "kill -9: the broker"
docker kill --signal KILL "$(docker compose ps --quiet rabbitmq)" >/dev/null
up
timeout 1200 "$cli" watch "$job"
say "completed after $((SECONDS - started)) s"
"$cli" training-jobs "$job" --sort objective

result=$("$cli" describe "$job" --output json)
jobs=$("$cli" training-jobs "$job" --output json)
"$python" - "$HRNN_TUNER_ARTIFACTS" "$result" "$jobs" <<'PYTHON'
import json
import sys
from pathlib import Path

artifacts, job = Path(sys.argv[1]), json.loads(sys.argv[2])
completed = job["training_job_state_counters"].get("completed", 0)
assert job["state"] == "TUNING_JOB_STATE_COMPLETED", job["state"]
assert completed == 4, f"{completed} training jobs completed, not 4"
attempts = [job["attempt"] for job in json.loads(sys.argv[3])["training_jobs"]]
assert max(attempts) > 1, f"no training job was tried again: {attempts}"
best = job["best_training_job"]
model = artifacts / Path(best["artifact_uri"]).relative_to("/artifacts")
files = sorted(path.name for path in model.iterdir())
assert "manifest.json" in files, files
print(f"attempts: {attempts}; each training job counted once")
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
