"""Tuning jobs for tests: specifications, and a database to put them in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from hrnn_tuner.domain.access import DEFAULT_PROJECT
from hrnn_tuner.domain.completion import CompletionCriteria
from hrnn_tuner.domain.early_stopping import EarlyStoppingType, HyperbandConfig
from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, IntegerRange, ParameterRange, SearchSpace
from hrnn_tuner.domain.states import TuningJobState
from hrnn_tuner.domain.tuning_job import (
    ResourceLimits,
    StrategyName,
    TrainingJobDefinition,
    TuningJob,
    TuningJobSpec,
)
from hrnn_tuner.store import Store
from hrnn_tuner.store.migrate import migrate

START = datetime(2026, 1, 1, tzinfo=UTC)
RANGES: tuple[ParameterRange, ...] = (
    ContinuousRange("x", 0.0, 1.0),
    IntegerRange("k", 1, 10),
    CategoricalRange("flag", (True, False)),
)


def make_spec(
    name: str = "job",
    *,
    max_training_jobs: int = 4,
    max_parallel: int = 2,
    max_runtime_s: int | None = None,
    ranges: tuple[ParameterRange, ...] = RANGES,
    strategy: StrategyName = StrategyName.RANDOM,
    seed: int = 7,
    weight: int = 1,
    max_attempts: int = 3,
    objective: ObjectiveType = ObjectiveType.MAXIMIZE,
    static: dict[str, bool | int | float | str] | None = None,
    output_uri: str = "/tmp/artifacts",
    early_stopping: EarlyStoppingType = EarlyStoppingType.OFF,
    hyperband: HyperbandConfig | None = None,
    completion: CompletionCriteria | None = None,
) -> TuningJobSpec:
    """A specification for the synthetic algorithm."""
    definition = TrainingJobDefinition(
        name="",
        algorithm="synthetic",
        objective=Objective(objective, "score"),
        static_hyperparameters=static or {},
        default_hyperparameters={"x": 0.5, "k": 3, "c": "a", "flag": True, "epochs": 2},
        space=SearchSpace(ranges),
        channels={},
        output_uri=output_uri,
        resource_class="default",
        max_attempts=max_attempts,
    )
    limits = ResourceLimits(max_training_jobs, max_parallel, max_runtime_s)
    return TuningJobSpec(
        name,
        strategy,
        limits,
        seed,
        (definition,),
        weight,
        early_stopping=early_stopping,
        hyperband=hyperband,
        completion=completion or CompletionCriteria(),
    )


def make_job(spec: TuningJobSpec, *, now: datetime = START, project: str = DEFAULT_PROJECT) -> TuningJob:
    """A new tuning job."""
    return TuningJob(str(uuid4()), spec, TuningJobState.IN_PROGRESS, now, now, project=project)


def create_job(
    store: Store, spec: TuningJobSpec, *, now: datetime = START, project: str = DEFAULT_PROJECT
) -> TuningJob:
    """Stores a new tuning job as the API does."""
    job = make_job(spec, now=now, project=project)
    with store.write() as tx:
        change = tx.create(job, request_id=None, request_hash=None)
        change.decide("CREATED", 0, "created")
        change.write()
    return job


def open_store(url: str) -> Store:
    """A store with the current schema."""
    migrate(url)
    return Store(url)


def sqlite_url(folder: Path) -> str:
    """URL of a new SQLite database in a folder."""
    return f"sqlite:///{folder / 'tuner.db'}"
