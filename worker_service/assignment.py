"""What a worker is asked to do, as frozen values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hrnn_tuner.domain.checkpoint import Checkpoint
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.search_space import Value


class InvalidTask(ValueError):
    """A message on the tasks queue that no worker can ever carry out."""


@dataclass(frozen=True)
class AttemptKey:
    """Identity of one attempt at one training job; a report counts only if all of it matches the scheduler's row.

    Attributes:
        tuning_job_id: Id of the tuning job.
        number: Number of the training job, counting from 1.
        attempt: Attempt, counting from 1.
        token: Fencing token, new for each attempt.
    """

    tuning_job_id: str
    number: int
    attempt: int
    token: str

    def __str__(self) -> str:
        return f"{self.tuning_job_id}/{self.number}/{self.attempt}"

    @property
    def fingerprint(self) -> str:
        """A digest of the identity that can be stored next to a model without giving the token away."""
        return hashlib.sha256(f"{self}/{self.token}".encode()).hexdigest()


@dataclass(frozen=True)
class Assignment:
    """One training job to run.

    Attributes:
        key: Which attempt.
        training_job_name: Name of the training job.
        algorithm: Name of the algorithm.
        hyperparameters: Every hyperparameter with its value.
        channels: The data by channel, and how to read them.
        objective_metric: The metric that decides which epoch counts.
        maximize: Whether a larger objective is better.
        seed: Seed of the training job.
        split_seed: Seed of the data split.
        artifact_uri: Folder for this attempt's model.
        environment: Environment variables for the trainer during this training job.
        checkpoint_uri: Folder for this attempt's checkpoints; empty for none.
        resume_from: The checkpoint from which this attempt goes on, of an earlier one or of the training job that this
            one continues; None for the beginning.
        pauses: Whether another training job may go on from the last checkpoint.
    """

    key: AttemptKey
    training_job_name: str
    algorithm: str
    hyperparameters: Mapping[str, Value]
    channels: Mapping[str, DataChannel]
    objective_metric: str
    maximize: bool
    seed: int
    split_seed: int
    artifact_uri: str
    environment: Mapping[str, str]
    checkpoint_uri: str = ""
    resume_from: Checkpoint | None = None
    pauses: bool = False


@dataclass(frozen=True)
class Work:
    """What one task asks for.

    Attributes:
        assignments: Training jobs to run.
        remove_checkpoints: Folders with checkpoints that nobody needs any more.
        remove_artifacts: Folders with models that were kept long enough, by the folder of their tuning job.
    """

    assignments: Sequence[Assignment]
    remove_checkpoints: Sequence[str] = ()
    remove_artifacts: Sequence[tuple[str, Sequence[str]]] = ()
