"""Table real-job: a tuning job of hrnn on Online Retail II, as a user would run it, against the defaults."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from hrnn_tuner.cli.following import follow
from hrnn_tuner.cli.options import OutputFormat
from hrnn_tuner.cli.serve import EmbeddedServer
from hrnn_tuner.client import TuningClient
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.search_space import Value
from hrnn_tuner.v1.tuning_job_pb2 import TUNING_JOB_STATE_COMPLETED
from hrnn_tuner.wire_values import from_wire
from tests.benchmarks.hrnn.evaluations import cell, difference, from_figures, to_figures
from tests.benchmarks.hrnn.fitting import fit
from tests.benchmarks.paths import DATA, cache_of
from tests.benchmarks.results import Results
from tests.benchmarks.runs import Figures, Piece, Runs
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.evaluation.evaluate import Evaluation
from worker_service.hrnn.settings import HrnnSettings

JOBS, IN_FLIGHT, SEED = 30, 4, 1
_METRIC = "normalized_discounted_cumulative_gain_at_10"
_SOURCE = DATA / "online-retail-2" / "interactions.csv.gz"
_CACHE = cache_of("bench-search")
_CODE = ("worker_service", "scheduler_service", "hrnn_tuner", "tests/benchmarks/search/real_job.py")
_RUNS = Runs(_CACHE / "real-job", code=_CODE)
_FIXED: Mapping[str, Value] = {"split": "temporal", "epochs": 6, "patience": 2}
_RANGES: Mapping[str, Any] = {
    "integer_parameter_ranges": [
        {"name": "hidden_dimension", "min_value": 16, "max_value": 96, "scaling_type": "SCALING_TYPE_LOGARITHMIC"},
        {"name": "bptt", "min_value": 8, "max_value": 32},
        {"name": "batch_tokens", "min_value": 512, "max_value": 8192, "scaling_type": "SCALING_TYPE_LOGARITHMIC"},
    ],
    "continuous_parameter_ranges": [
        {"name": "learning_rate", "min_value": 0.001, "max_value": 0.05, "scaling_type": "SCALING_TYPE_LOGARITHMIC"},
        {"name": "dropout", "min_value": 0.0, "max_value": 0.6},
    ],
    "categorical_parameter_ranges": [{"name": "cell", "values": [{"string_value": "hrnn"}, {"string_value": "flat"}]}],
}


def real_job(jobs: int) -> list[Results]:
    """Runs the tuning job, and compares its winner with the defaults on the test window.

    Args:
        jobs: Trainings at a time of the comparison; the tuning job always has four in flight.

    Raises:
        SystemExit: When the data are not there.
    """
    if not _SOURCE.exists():
        raise SystemExit(f"{_SOURCE} is missing: the table needs the data set")
    tuned = json.loads(str(_RUNS.run_all([Piece("the tuning job", tune, ())], 1)["the tuning job"]["facts"]))
    chosen: Mapping[str, Mapping[str, Value]] = {"defaults": {}, "winner": tuned["hyperparameters"]}
    pieces = {
        (name, seed): Piece(f"{name}, seed {seed}", measure, (json.dumps(values, sort_keys=True), seed))
        for name, values in chosen.items()
        for seed in (1, 2, 3)
    }
    found = _RUNS.run_all([*pieces.values()], jobs)
    evaluations = {name: [from_figures(found[pieces[name, seed].name]) for seed in (1, 2, 3)] for name in chosen}
    return [_results(tuned, chosen, evaluations)]


def tune() -> Figures:
    """Runs the tuning job to its end."""
    folder = _CACHE / "real-job-service"
    folder.mkdir(parents=True, exist_ok=True)
    name, began = f"retail-{int(time.time())}", time.monotonic()
    definition = {
        "algorithm": "hrnn",
        "objective": {"type": "OBJECTIVE_TYPE_MAXIMIZE", "metric_name": _METRIC},
        "static_hyperparameters": {key: _wire(value) for key, value in _FIXED.items()},
        "parameter_ranges": _RANGES,
        "data_channels": [{"name": "interactions", "uri": str(_SOURCE)}],
    }
    spec = {
        "name": name,
        "strategy": "STRATEGY_BAYESIAN",
        "random_seed": SEED,
        "resource_limits": {"max_number_of_training_jobs": JOBS, "max_parallel_training_jobs": IN_FLIGHT},
        "training_job_definitions": [definition],
    }
    server = EmbeddedServer(data_dir=folder, listen="127.0.0.1:0", slots=IN_FLIGHT, data_prefixes=[str(_SOURCE.parent)])
    with server, TuningClient(server.address) as client:
        client.create_tuning_job({"tuning_job": spec})
        ended = follow(client, name, OutputFormat.TEXT)
        rows = list(client.list_training_jobs(name))
    if ended.state != TUNING_JOB_STATE_COMPLETED:
        raise RuntimeError(f"the tuning job did not complete: {ended.failure_reason}")
    best = ended.best_training_job
    facts = {
        "hyperparameters": {key: from_wire(value) for key, value in best.tuned_hyperparameters.items()},
        "number": best.number,
        "value": best.final_objective_value,
        "seconds": time.monotonic() - began,
        "training_s": sum((row.end_time.seconds - row.start_time.seconds) for row in rows),
    }
    return {"facts": np.array(json.dumps(facts))}


def measure(hyperparameters: str, seed: int) -> Figures:
    """Trains on everything before the validation window and measures on the test window."""
    values: dict[str, Value] = {**_FIXED, **json.loads(hyperparameters)}
    source = load_interactions(DataChannel(str(_SOURCE)), _CACHE)
    data = training_data(source, HrnnSettings.from_hyperparameters(values), SEED)
    evaluation = fit(f"seed {seed}", data, values, seed, _METRIC).training.measure(data.test)
    return to_figures(evaluation)


def _shown(value: Value) -> str:
    """A value as the table shows it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _wire(value: Value) -> dict[str, Any]:
    """A hyperparameter's value in the JSON form of the contract."""
    kind = {bool: "bool_value", int: "integer_value", float: "double_value", str: "string_value"}[type(value)]
    return {kind: value}


def _results(
    tuned: Mapping[str, Any], chosen: Mapping[str, Mapping[str, Value]], evaluations: Mapping[str, list[Evaluation]]
) -> Results:
    """The table."""
    defaults = evaluations["defaults"]
    rows = [
        (
            name,
            ", ".join(
                f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in own.items()
            ),
            cell(evaluations[name], _METRIC),
            "" if name == "defaults" else difference(evaluations[name], defaults, _METRIC),
        )
        for name, own in chosen.items()
    ]
    return Results(
        key="bench-search real-job",
        title=f"A tuning job of hrnn on Online Retail II: {JOBS} training jobs, {IN_FLIGHT} in flight",
        headings=("hyperparameters", "values", "test NDCG@10 [95%]", "better than the defaults by [95%]"),
        rows=rows,
        notes=(
            f"The service runs embedded, with a worker of {IN_FLIGHT} slots; BAYESIAN, seed {SEED}; all with "
            f"{dict(_FIXED)}. Training job {tuned['number']} won with {tuned['value']:.4f} on validation; "
            f"the tuning job took {tuned['seconds']:.0f} s, its training jobs {tuned['training_s']:.0f} s together.",
            "Both sets of hyperparameters are then trained with the seeds 1, 2 and 3, the epoch is chosen on the "
            "validation window, and the test window is looked at once. Intervals: paired bootstrap over users.",
        ),
    )
