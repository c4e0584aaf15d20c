"""Tuning jobs of every strategy, run with faulty workers, and their event logs followed again."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from hrnn_tuner.broker import Broker, Message
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import REPORTS_EXCHANGE, REPORTS_SHARD, build_topology, reports_queue
from hrnn_tuner.cli.main import app
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.early_stopping import EarlyStoppingType, HyperbandConfig
from hrnn_tuner.domain.search_space import ContinuousRange
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import StrategyName, TuningJob
from hrnn_tuner.store import EventKind, Store
from hrnn_tuner.store.migrate import migrate
from hrnn_tuner.store.schema import events
from hrnn_tuner.v1 import queue_pb2, training_job_pb2
from scheduler_service.convert import REPORT_TYPE
from scheduler_service.early_stopping import MedianActivation
from scheduler_service.replay import Replayed, replay
from scheduler_service.strategies.bayesian.recipe import Recipe
from tests.support.invariants import read_events, read_training_jobs
from tests.support.scheduling import SETTINGS, running, wait_for_end
from tests.support.simulated_worker import Faults
from tests.support.tuning import create_job, make_spec
from tests.support.tuning_life import launch
from tests.support.waiting import wait_until

ACTIVATION = MedianActivation(SETTINGS.early_stopping_min_epoch, SETTINGS.early_stopping_min_training_jobs)
EARLY = {"early_stopping_min_epoch": 2, "early_stopping_min_training_jobs": 2}
LEVELS = HyperbandConfig(1, 9)
FAULTS = Faults(vanish=0.03, lose=0.1, fail=0.1, repeat=0.3)


@pytest.fixture
def hub() -> InMemoryHub:
    return InMemoryHub(build_topology(["default"]))


def value_of(assignment: queue_pb2.TrainingAssignment) -> float:
    return assignment.hyperparameters["x"].double_value


def run(store: Store, hub: InMemoryHub, faults: Faults = FAULTS, **spec: Any) -> TuningJob:
    """A tuning job that has ended."""
    fields: dict[str, Any] = {"max_training_jobs": 18, "max_parallel": 4, "static": {"epochs": 12}} | spec
    job = create_job(store, make_spec("job", **fields), now=utc_now())
    with running(store, hub, schedulers=2, workers=2, epochs=12, train_s=0.5, objective=value_of, faults=faults):
        return wait_for_end(store, job)


def followed(store: Store, activation: MedianActivation = ACTIVATION) -> Replayed:
    found = replay(store, "job", activation)
    assert found is not None
    return found


def scored(epoch: int, value: float) -> queue_pb2.AttemptMetrics:
    return queue_pb2.AttemptMetrics(points=[training_job_pb2.MetricPoint(metric_name="score", step=epoch, value=value)])


def report(broker: Broker, job: TrainingJob, **event: Any) -> None:
    """A worker reports about the current attempt of a training job."""
    ref = queue_pb2.AttemptRef(tuning_job_id=job.tuning_job_id, number=job.number, attempt=job.attempt, token=job.token)
    body = queue_pb2.Report(attempt=queue_pb2.AttemptReport(ref=ref, worker_id="worker", **event))
    broker.publish(REPORTS_EXCHANGE, REPORTS_SHARD, Message(REPORT_TYPE, body.SerializeToString()))


@pytest.mark.parametrize(
    "spec",
    [
        {"strategy": StrategyName.RANDOM},
        {"strategy": StrategyName.SOBOL},
        {"strategy": StrategyName.RANDOM, "early_stopping": EarlyStoppingType.AUTO},
        {"strategy": StrategyName.HYPERBAND, "hyperband": LEVELS},
        {"strategy": StrategyName.ASHA, "hyperband": LEVELS},
    ],
    ids=["random", "sobol", "median", "hyperband", "asha"],
)
def test_every_decision_follows_from_the_log(store: Store, hub: InMemoryHub, spec: dict[str, Any]) -> None:
    job = run(store, hub, **spec)
    found = followed(store)
    assert found.differences == []
    assert found.events == job.revision
    assert found.proposals == job.counters.launched
    assert found.selections >= 1
    decided = [event for event in read_events(store, job.id) if event.kind is EventKind.DECISION]
    assert found.stops == sum(event.body["kind"] == "EARLY_STOPPED" for event in decided)


@pytest.mark.parametrize("seed", range(3))
def test_stops_follow_when_attempts_end_between_the_reports_of_one_batch(
    store: Store, hub: InMemoryHub, seed: int
) -> None:
    rng = random.Random(seed)
    spec = make_spec("job", max_training_jobs=8, max_parallel=8, early_stopping=EarlyStoppingType.AUTO)
    job = create_job(store, spec, now=utc_now())
    launch(store, job.id, 8)
    broker = hub.connect("worker")
    epochs = dict.fromkeys(range(1, 9), 0)
    for _ in range(6):
        for _ in range(2):  # more than an epoch of some of them, and what ends others, in between
            for row in rng.sample(read_training_jobs(store, job.id), 6):
                lost = queue_pb2.AttemptEnded(outcome=queue_pb2.AttemptEnded.OUTCOME_HANDED_BACK)
                if rng.random() < 0.2:
                    epochs[row.number] = 0
                    report(broker, row, ended=lost)
                else:
                    epochs[row.number] += 1
                    report(broker, row, metrics=scored(epochs[row.number], rng.random()))
        with running(store, hub, workers=0, settings=SETTINGS.model_copy(update=EARLY | {"lease_ttl_s": 60.0})):
            wait_until(lambda: broker.depth(reports_queue()) == 0, message="reports to be taken")
    found = followed(store, MedianActivation(2, 2))
    assert found.stops > 0
    assert [difference for difference in found.differences if "the stop of" in difference] == []


def test_proposals_of_a_model_follow_too(store: Store, hub: InMemoryHub) -> None:
    ranges = (ContinuousRange("x", 0.0, 1.0),)
    count = Recipe().start.count + 4
    spec = make_spec(strategy=StrategyName.BAYESIAN, max_training_jobs=count, max_parallel=2, ranges=ranges)
    job = create_job(store, spec, now=utc_now())
    with running(store, hub, slots=2, train_s=0.2, objective=value_of):
        wait_for_end(store, job, timeout_s=110)
    learnt = [row for row in read_training_jobs(store, job.id) if "acquisition_value" in row.proposal.figures]
    assert learnt
    found = followed(store)
    assert found.differences == []
    assert found.proposals == count


@pytest.fixture
def database(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'hrnn-tuner.db'}"
    migrate(url)
    return url


def forged(store: Store, revision: int, **changes: Any) -> None:
    """Changes an entry of the log behind everybody's back."""
    with store._writer.begin() as connection:
        body = dict(connection.execute(select(events.c.body).where(events.c.revision == revision)).scalar_one())
        connection.execute(update(events).where(events.c.revision == revision).values(body=body | changes))


def test_what_does_not_follow_is_an_error_that_names_revision_and_difference(
    tmp_path: Path, database: str, hub: InMemoryHub
) -> None:
    store = Store(database)
    job = run(store, hub, strategy=StrategyName.ASHA, hyperband=LEVELS, faults=Faults())
    log = read_events(store, job.id)
    arguments = ["replay", "job", "--data-dir", str(tmp_path), "-o", "json"]
    good = CliRunner().invoke(app, arguments)
    assert good.exit_code == 0, good.output
    assert json.loads(good.stdout)["differences"] == []

    launch = next(event for event in log if event.kind is EventKind.TRAINING_JOB and event.body["number"] == 2)
    other = launch.body["proposal"] | {"hyperparameters": launch.body["proposal"]["hyperparameters"] | {"x": 0.123}}
    forged(store, launch.revision, proposal=other)
    stop = next(event for event in log if event.kind is EventKind.DECISION and event.body["kind"] == "EARLY_STOPPED")
    forged(store, stop.revision, figures=stop.body["figures"] | {"value": 99.0})
    status = [event for event in log if event.kind is EventKind.TUNING_JOB][-2]
    forged(store, status.revision, best_number=17)
    store.close()

    bad = CliRunner().invoke(app, arguments)
    assert bad.exit_code == 1
    found = json.loads(bad.stdout)["differences"]
    for revision, text in (
        (launch.revision, "training job 2: hyperparameters are"),
        (stop.revision, "the figures are"),
        (status.revision, "the best is training job 17"),
    ):
        assert any(item.startswith(f"revision {revision}: ") and text in item for item in found), found


def test_an_unknown_tuning_job_or_folder_is_not_found(tmp_path: Path, database: str) -> None:
    unknown = CliRunner().invoke(app, ["replay", "nothing", "--data-dir", str(tmp_path)])
    assert unknown.exit_code == 3
    assert "no tuning job 'nothing'" in unknown.output
    nowhere = CliRunner().invoke(app, ["replay", "job", "--data-dir", str(tmp_path / "nowhere")])
    assert nowhere.exit_code == 3
    assert "does not exist" in nowhere.output
    assert database
