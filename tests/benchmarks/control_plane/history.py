"""Tuning jobs that have come far already: their rows are made once, as the scheduler makes them, and then copied."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import RowMapping, TableClause, column, insert, select, table, update

from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.search_space import ParameterRange
from hrnn_tuner.domain.states import SecondaryState, TuningJobState
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.store import JobChange, MetricPoint
from hrnn_tuner.store.engine import open_engines
from hrnn_tuner.store.schema import metadata
from scheduler_service import convert
from scheduler_service.planner import training_job_name
from scheduler_service.strategies import History, RandomStrategy
from tests.benchmarks.control_plane.algorithm import ALGORITHM, METRIC, RANGES
from tests.support.tuning import make_job, make_spec, open_store, sqlite_url

#: No tuning job of the benchmark comes to its end by itself.
MORE = 1_000_000
EPOCHS = 3
_NAME = "template"
_ROWS = 1000
_TABLES = ("tuning_jobs", "training_jobs", "metric_points", "events")
#: Of each table, by column as the database has them.
_Rows = Sequence[tuple[TableClause, Sequence[RowMapping]]]


class Histories:
    """Makes tuning jobs with completed training jobs, of which each has its events and the points of a few epochs.

    Args:
        folder: For the databases from which they are copied.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[tuple[int, tuple[ParameterRange, ...]], _Rows] = {}

    def create(
        self,
        database_url: str,
        name: str,
        size: int,
        *,
        max_parallel: int,
        ranges: tuple[ParameterRange, ...] = RANGES,
    ) -> None:
        """Stores a tuning job with ``size`` completed training jobs that goes on from there.

        It is in progress only once everything is there, so no transaction of it is long.
        """
        key = (size, ranges)
        if key not in self._templates:
            self._templates[key] = _template(self._folder / f"{len(self._templates)}", size, ranges)
        writer, reader = open_engines(database_url)
        for plain, rows in self._templates[key]:
            for start in range(0, len(rows), _ROWS):
                some = [_copied(dict(row), name, max_parallel) for row in rows[start : start + _ROWS]]
                with writer.begin() as target:
                    target.execute(insert(plain), some)
        with writer.begin() as target:
            job = metadata.tables["tuning_jobs"]
            target.execute(update(job).where(job.c.id == _id(name)).values(state=TuningJobState.IN_PROGRESS.value))
        writer.dispose()
        reader.dispose()


def _id(name: str) -> str:
    """Of the tuning job of this name."""
    return str(uuid5(NAMESPACE_URL, name))


def _copied(row: dict[str, Any], name: str, max_parallel: int) -> dict[str, Any]:
    """A row of another tuning job."""
    for item in ("name", "name_key", "artifact_uri", "body"):
        if item in row:
            row[item] = row[item].replace(_NAME, name)
    if "leaves_checkpoints" in row:
        row["leaves_checkpoints"] = bool(row["leaves_checkpoints"])  # PostgreSQL takes no integer for it
    if "spec" not in row:
        return row | {"tuning_job_id": _id(name)}
    spec = json.loads(row["spec"])
    spec["name"], spec["limits"]["max_parallel"] = name, max_parallel
    closed = TuningJobState.COMPLETED.value
    return row | {"id": _id(name), "spec": json.dumps(spec), "max_parallel": max_parallel, "state": closed}


def _template(folder: Path, size: int, ranges: tuple[ParameterRange, ...]) -> _Rows:
    """The rows of a tuning job."""
    folder.mkdir()
    store = open_store(sqlite_url(folder))
    spec = make_spec(_NAME, max_training_jobs=size + MORE, max_parallel=1, ranges=ranges, seed=1)
    definition = replace(
        spec.definitions[0], algorithm=ALGORITHM.name, static_hyperparameters={}, default_hyperparameters={}
    )
    job = make_job(replace(spec, definitions=(definition,)), now=utc_now())
    with store.write() as tx:
        change = tx.create(job, request_id=None, request_hash=None)
        for ended in _ended(change, size):
            change.put(*ended)
        change.write()
    store.close()
    writer, reader = open_engines(sqlite_url(folder))
    with reader.connect() as connection:
        # Without types, values are as they are stored.
        plain = [table(name, *(column(item.name) for item in metadata.tables[name].columns)) for name in _TABLES]
        found = [(item, connection.execute(select(item)).mappings().all()) for item in plain]
    reader.dispose()
    writer.dispose()
    return found


def _ended(change: JobChange, size: int) -> Iterator[tuple[TrainingJob, TrainingJob]]:
    """Launches training jobs one after the other; yields each as it was, and as it is at its end."""
    job, now = change.job, change.now
    (definition,) = job.spec.definitions
    history = History(definition.space, definition.objective)
    for number, proposal in enumerate(RandomStrategy().propose(history, range(1, size + 1), job.spec.seed), start=1):
        training_job = TrainingJob(
            tuning_job_id=job.id,
            number=number,
            name=training_job_name(job, number),
            definition_name=definition.name,
            proposal=proposal,
            hyperparameters=definition.resolve(proposal.hyperparameters),
            secondary=SecondaryState.PENDING,
            attempt=1,
            token=f"{number:032x}",
            created_at=now,
        )
        change.decide("PROPOSED", number, proposal.explanation)
        change.launch(training_job)
        started = training_job.started("earlier", now)
        change.put(training_job, started)
        points = [MetricPoint(METRIC, step, step / number, 1, now) for step in range(1, EPOCHS + 1)]
        change.add_metrics(started, points)
        artifact_uri = convert.artifact_uri(definition.output_uri, job, training_job)
        yield started, started.completed(1 / number, {METRIC: 1 / number}, artifact_uri, now)
