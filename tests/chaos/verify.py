"""What must be true when all is quiet again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.states import CompletionReason, SecondaryState, TrainingJobState, TuningJobState
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import Store, TuningJobQuery
from hrnn_tuner.store.schema import outbox
from scheduler_service.replay import replay
from scheduler_service.strategies import History, Reads, strategy_for
from tests.chaos.cluster import ACTIVATION, VHOST, Cluster
from tests.support.event_log import EventLogChecker
from tests.support.invariants import check_invariants, read_events, read_training_jobs
from tests.support.synthetic_algorithm import score
from tests.support.waiting import wait_until
from worker_service.artifacts import FINGERPRINT, MANIFEST
from worker_service.assignment import AttemptKey

QUIET_TIMEOUT_S = 45.0
#: Reports that the broker had confirmed may be lost with it; those of attempts that ended so soon after may be missing.
_WIPE_REACH = timedelta(seconds=30)


def verify(cluster: Cluster, names: Iterable[str], wipes: list[datetime]) -> list[TuningJob]:
    """Checks every tuning job, the queues and the outbox; returns the tuning jobs.

    Args:
        cluster: With every fault healed and all processes running.
        names: Of the tuning jobs that clients created.
        wipes: When the broker lost its data.

    Raises:
        AssertionError: When something is not as it must be.
    """
    store = Store(cluster.database_url)
    try:
        with store.read() as tx:
            jobs = list(tx.tuning_jobs.page(TuningJobQuery(project=None), after=None, limit=10_000).rows)
        assert sorted(job.spec.name for job in jobs) == sorted(names), "tuning jobs are those that were asked for"
        for job in jobs:
            check_job(store, check_invariants(store, job), wipes)
        wait_until(lambda: _left_over(cluster, store) == {}, QUIET_TIMEOUT_S, "all messages to be worked off")
        with store.read() as tx:
            assert tx.dead_messages.count() == 0, "a message became a dead letter that nobody could use"
        return jobs
    except AssertionError as error:
        raise AssertionError(f"{error}; left over: {_left_over(cluster, store)}") from error
    finally:
        store.close()


def _left_over(cluster: Cluster, store: Store) -> dict[str, int]:
    """Messages in queues and in the outbox."""
    status, body = cluster.node.request("GET", f"/api/queues/{VHOST}")
    assert status == 200
    depths = {queue["name"]: int(queue.get("messages", 0)) for queue in json.loads(body) if queue["durable"]}
    depths.pop("hrnn.reports.v1.0", None)  # heartbeats and probes never end
    with store._reader.connect() as connection:
        depths["outbox"] = int(connection.execute(select(func.count()).select_from(outbox)).scalar_one())
    return {name: depth for name, depth in depths.items() if depth}


def check_job(store: Store, job: TuningJob, wipes: list[datetime]) -> None:
    """Checks an ended tuning job: everything counted once, proposed as its seed says, with results and artifacts.

    The schedulers must have run with `ACTIVATION_SETTINGS`.
    """
    rows = read_training_jobs(store, job.id)
    name = job.spec.name
    followed = replay(store, name, ACTIVATION)
    assert followed is not None
    assert followed.differences == [], f"{name} does not follow from its log: {followed.differences}"
    assert job.state in {TuningJobState.COMPLETED, TuningJobState.STOPPED}, f"{name} is {job.state}"
    if job.state is TuningJobState.COMPLETED:
        assert job.completion_reason is CompletionReason.MAX_JOBS, f"{name}: {job.completion_reason}"
        ended = job.counters.completed + job.counters.stopped
        assert ended == job.counters.objective_succeeded == job.spec.limits.max_training_jobs, f"{name}: {job.counters}"
    log = EventLogChecker(job)
    log.feed(read_events(store, job.id))
    _check_proposals(job, rows)
    for row in rows:
        assert row.state in {TrainingJobState.COMPLETED, TrainingJobState.STOPPED}, f"{row.name}: {row.failure_reason}"
        if row.final_objective is not None:
            manifest = _check_artifact(row)
            if job.spec.definitions[0].algorithm == "synthetic":
                _check_result(row, manifest["epochs"], log, wipes)


def _check_proposals(job: TuningJob, rows: list[TrainingJob]) -> None:
    """A search that reads no results proposes what its seed says, whoever died in between."""
    spec = job.spec
    (definition,) = spec.definitions
    strategy = strategy_for(spec.strategy)
    if strategy.reads(definition.space) is Reads.RESULTS:
        return
    history = History(definition.space, definition.objective, 0)
    numbers = range(1, len(rows) + 1)
    expected = [dict(item.hyperparameters) for item in strategy.propose(history, numbers, spec.seed)]
    assert [dict(row.proposal.hyperparameters) for row in rows] == expected, f"{spec.name}: other proposals"


def _check_artifact(row: TrainingJob) -> dict[str, Any]:
    """The artifact is whole, and of the attempt that counts; returns its manifest."""
    folder = Path(row.artifact_uri)
    key = AttemptKey(row.tuning_job_id, row.number, row.attempt, row.token)
    assert (folder / FINGERPRINT).read_text() == key.fingerprint, f"{row.name}: the artifact is another attempt's"
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    for name, value in row.hyperparameters.items():
        assert manifest["hyperparameters"][name] == value, f"{row.name}: the artifact has another {name}"
    return manifest


def _check_result(row: TrainingJob, kept: int, log: EventLogChecker, wipes: list[datetime]) -> None:
    """The result is the one that theory says for the epoch that was kept, and every metric point is there."""
    values = row.hyperparameters
    x, k = float(values["x"]), int(values["k"])
    epochs = int(values["epochs"])
    assert (row.proposal.until_epoch or 1) <= kept <= epochs, f"{row.name}: epoch {kept} was kept"
    assert kept == epochs or row.secondary is SecondaryState.EARLY_STOPPED, f"{row.name}: ended after epoch {kept}"
    curve = {epoch: score(x=x, k=k, epoch=epoch) for epoch in range(1, kept + 1)}
    assert row.final_objective == curve[kept], f"{row.name}: {row.final_objective}"
    began = next(step.at for step in row.transitions if step.state is SecondaryState.STARTING)
    end = row.ended_at or utc_now()
    if any(began - _WIPE_REACH < wipe < end for wipe in wipes):
        return
    got = {step: value for (number, _, step), value in log.points.items() if number == row.number}
    assert got == curve, f"{row.name}: metric points {sorted(got)} of {kept}"
