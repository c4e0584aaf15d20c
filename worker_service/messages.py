"""What supervisor and trainer process say to each other over their pipe: JSON objects, never pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from hrnn_tuner.domain.checkpoint import Checkpoint
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.search_space import Value

Point: TypeAlias = tuple[str, int, float]  #: metric name, step, value


@dataclass(frozen=True)
class Setup:
    """To the trainer, once: what to warm up.

    ``devices`` is empty for "all GPUs, or else the CPU"; slot i takes device i modulo their number. ``threads`` is this
    slot's share of the host's cores. ``warm_up`` says whether all algorithms are made ready before the first job.
    """

    slot: int
    threads: int
    devices: list[str]
    algorithms: list[str]
    cache_dir: str
    log_format: str
    log_level: str
    warm_up: bool


@dataclass(frozen=True)
class RunJob:
    """To the trainer: run a training job.

    ``work_dir`` is its scratch space, ``partial_tag`` names unfinished uploads. ``checkpoints`` says whether it may
    save some, ``resume_from`` is where it goes on, None for the beginning.
    """

    job: int
    name: str
    algorithm: str
    hyperparameters: Mapping[str, Value]
    channels: Mapping[str, DataChannel]
    objective_metric: str
    maximize: bool
    seed: int
    split_seed: int
    artifact_uri: str
    environment: Mapping[str, str]
    work_dir: str
    fingerprint: str
    partial_tag: str
    checkpoints: bool = False
    resume_from: Checkpoint | None = None


@dataclass(frozen=True)
class StopJob:
    """To the trainer: `TrainingContext.should_stop` says True from now on, for this job.

    ``keep``: the model of the best epoch so far is published; the last order counts.
    """

    job: int
    keep: bool = False


@dataclass(frozen=True)
class Ready:
    """From the trainer, once: it is warm."""

    pid: int
    device: str
    algorithms: list[str]


@dataclass(frozen=True)
class Stage:
    """From the trainer: a job entered DOWNLOADING, TRAINING or UPLOADING."""

    job: int
    stage: str


@dataclass(frozen=True)
class EpochMetrics:
    """From the trainer: the metrics of one epoch."""

    job: int
    step: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Resumed:
    """From the trainer: where a job with a checkpoint begins; step 0 and a problem when the checkpoint is of no use."""

    job: int
    step: int
    problem: str = ""


@dataclass(frozen=True)
class CheckpointSaved:
    """From the trainer: a local folder has the checkpoint of a step and belongs to the supervisor."""

    job: int
    step: int
    folder: str


@dataclass(frozen=True)
class JobEnded:
    """From the trainer: a job ended.

    Attributes:
        job: Which.
        outcome: ``COMPLETED``, ``FAILED``, ``STOPPED``, or ``LOST`` through a fault of this worker.
        cause: A FailureCause without its prefix (FAILED).
        reason: Why, for people (FAILED, LOST).
        metrics: Every metric at the kept epoch (COMPLETED, and STOPPED when the model was published).
        retiring: The process is no longer fit for another job and exits.
    """

    job: int
    outcome: str
    cause: str = ""
    reason: str = ""
    metrics: Mapping[str, float] | None = None
    retiring: bool = False


PipeMessage: TypeAlias = Setup | RunJob | StopJob | Ready | Stage | EpochMetrics | Resumed | CheckpointSaved | JobEnded

_KINDS: Mapping[str, type[PipeMessage]] = {
    kind.__name__: kind
    for kind in (Setup, RunJob, StopJob, Ready, Stage, EpochMetrics, Resumed, CheckpointSaved, JobEnded)
}


def encode(message: PipeMessage) -> bytes:
    """Writes a message; NaN and infinities survive."""
    return json.dumps({"kind": type(message).__name__, **asdict(message)}).encode()


def decode(data: bytes) -> PipeMessage:
    """Reads a message.

    Raises:
        ValueError: When it is none; both ends are of one release, so this is a defect.
    """
    fields: dict[str, Any] = json.loads(data)
    kind = _KINDS.get(fields.pop("kind", ""))
    if kind is None:
        raise ValueError(f"unknown pipe message {data[:80]!r}")
    if kind is RunJob:
        fields["channels"] = {name: DataChannel(**channel) for name, channel in fields["channels"].items()}
        found = fields["resume_from"]
        fields["resume_from"] = None if found is None else Checkpoint(**found)
    return kind(**fields)
