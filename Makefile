SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup services protos lint test broker-matrix chaos bench bench-hrnn bench-search demo compose-test clean

VENV  := .venv
BIN   := $(VENV)/bin
READY := $(VENV)/.ready
CODE  := hrnn_tuner api_service scheduler_service worker_service tests protos deploy

help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Makes .venv with everything that development needs, at the versions of constraints.txt

$(READY): pyproject.toml constraints.txt
	@if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then \
	  if [ "$$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then \
	    apt-get -q -y update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends python3-venv; \
	  else echo "python3 has no venv module: install your system's package of it, e.g. python3-venv" >&2; exit 1; fi; \
	fi
	@echo "setup: installing into $(VENV) (a few minutes, once per change of pyproject.toml or constraints.txt)"
	@[ -x $(BIN)/python ] || python3 -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@
	@echo "setup: done; try 'make demo' or '$(BIN)/hrnn-tuner --help'"

services: ## Makes sure that RabbitMQ, PostgreSQL and Node.js are installed, which the tests start
	@bash tests/support/install_services.sh

protos: setup ## Generates hrnn_tuner/v1 from protos/
	$(BIN)/python protos/generate.py

lint: setup ## Style, types, imports between packages, protos, Dockerfile, Kubernetes manifests
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	bash tests/support/check_protos.sh
	$(BIN)/hadolint deploy/Dockerfile
	$(BIN)/python deploy/kubernetes/check.py

test: lint services ## Everything that CI runs: lint, then all tests (PYTEST_ARGS="-k watch" for some)
	$(BIN)/python -m pytest -n auto $(PYTEST_ARGS)

broker-matrix: setup services ## Runs the tests that use RabbitMQ with 3.10, 4.0 and 4.3 (IMAGES="rabbitmq:4.3-management"; needs Docker)
	bash tests/support/broker_matrix.sh

chaos: setup services ## Kills and cuts off everything, again and again, and checks every invariant (SECONDS=600 SEED=1 REPLAY=file)
	$(BIN)/python -m tests.chaos --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1) $(if $(REPLAY),--replay "$(REPLAY)")

bench: setup services ## Measures the control plane with a simulated fleet, beside Optuna (TABLES="cycles points" SIZES="100" for less)
	$(BIN)/python -m tests.benchmarks.control_plane $(if $(TABLES),--tables $(TABLES)) $(if $(SIZES),--sizes $(SIZES)) $(BENCH_ARGS)

bench-hrnn: setup ## Measures how well hrnn recommends, on the data in ../shared/data (TABLES="amazon speed" for some; hours)
	$(BIN)/python -m tests.benchmarks.hrnn $(TABLES) --record

bench-search: setup ## Measures the strategies beside Optuna and Ax (TABLES="quality", BENCH_ARGS="--seeds 10 --budget-minutes 60"; hours)
	$(BIN)/python -m tests.benchmarks.search $(TABLES) --record $(BENCH_ARGS)

demo: setup ## Everything once: data, service, tuning job, recommendations (DATA=interactions.csv for your own data)
	$(BIN)/hrnn-tuner demo $(if $(DATA),--data "$(DATA)")

compose-test: setup ## Builds the images, starts the Compose stack and runs a tuning job in it (needs Docker)
	bash deploy/test/run.sh

clean: ## Removes everything that was generated, .venv included
	rm -rf $(VENV) .cache .hrnn-tuner build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
