#!/usr/bin/env bash
# Runs the tests that use RabbitMQ with several of its versions, each in a container (`make broker-matrix`), and one that
# takes minutes: a training job that outlasts the shortest time for which brokers leave a message unacknowledged.
#
# IMAGES="rabbitmq:4.3-management" chooses versions; PYTEST_ARGS goes to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. deploy/test/engine.sh

IMAGES=${IMAGES:-rabbitmq:3.10-management rabbitmq:4.0-management rabbitmq:4.3-management}
trap 'docker ps --quiet --filter label=hrnn-tuner-test | xargs --no-run-if-empty docker kill >/dev/null' EXIT
failed=()
for image in $IMAGES; do
  printf '\n== %s: %s\n' "$image" "$(docker run --rm --entrypoint sh "$image" -c 'PATH="/usr/lib/rabbitmq/bin:/opt/rabbitmq/sbin:$PATH" rabbitmqctl version')"
  # shellcheck disable=SC2086 # PYTEST_ARGS are several words
  HRNN_TUNER_TEST_RABBITMQ_IMAGE=$image .venv/bin/python -m pytest -m rabbitmq tests/contract tests/integration tests/e2e \
    ${PYTEST_ARGS:-} || failed+=("$image")
done
printf '\n'
[ "${#failed[@]}" -eq 0 ] || { echo "broker-matrix: failed with ${failed[*]}" >&2; exit 1; }
echo "broker-matrix: passed with $IMAGES"
