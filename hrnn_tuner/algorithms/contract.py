"""What the worker promises to an algorithm's code, and what that code must do.

Rules of a trainer:

* `Trainer.train` runs in a process of its own, one training job at a time; the process is reused, so it must leave no
  state behind that could change a later result, and may keep caches that cannot.
* It calls `TrainingContext.report` once at the end of every epoch, with every declared metric, steps counting from 1.
* It asks `TrainingContext.should_stop` at least once per optimizer step and returns soon after it says True, with the
  model of the best epoch so far in `TrainingContext.artifact_dir`: one that is stopped early is kept.
* It writes its model below `TrainingContext.artifact_dir` and nowhere else. What is written there is published as a
  whole when `train` returns; nothing is published when it raises. A trainer that was asked to stop leaves the model of
  its best epoch so far, if it has one: whether that is published depends on who stopped it.
* With a `TrainingContext.checkpoint_dir` it may save its state there at the end of an epoch, after the epoch's report,
  and says so by `TrainingContext.checkpointed`. It replaces files, by a rename, and never writes into one again. When
  it finds a checkpoint there and goes on behind it, it says so by `TrainingContext.resumed`, and then reports the
  epochs before once more: they count once, and the best epoch may be among them.
* An error whose message is meant for the user is an `AlgorithmError`; anything else is reported with its type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.search_space import Value


class AlgorithmError(Exception):
    """A training job cannot go on; the message says why, in the user's terms."""


class DataError(AlgorithmError):
    """The training data are missing, malformed or too few."""


class InvalidObjectiveError(AlgorithmError):
    """The loss or the objective became NaN or infinite."""


class TrainingContext(Protocol):
    """What a trainer gets for one training job.

    Attributes:
        hyperparameters: Every hyperparameter of the algorithm with its value for this training job.
        channels: The data by channel name: where they are and how to read them.
        seed: Seed of all randomness of this training job.
        split_seed: Seed of the data split, the same for every training job.
        objective_metric: The metric by which training jobs are compared; use it for early stop on validation.
        device: A torch device string, e.g. ``cpu`` or ``cuda:0``.
        artifact_dir: An empty local directory for the model.
        cache_dir: A local directory shared by all trainers of this host, for prepared data.
        checkpoint_dir: A local directory for the training job's last checkpoint: empty, or with one of an earlier
            attempt, from which `Trainer.train` goes on; None for none.
    """

    hyperparameters: Mapping[str, Value]
    channels: Mapping[str, DataChannel]
    seed: int
    split_seed: int
    objective_metric: str
    device: str
    artifact_dir: Path
    cache_dir: Path
    checkpoint_dir: Path | None

    def training_started(self) -> None:
        """Says that data are ready and the first optimizer step follows."""

    def report(self, step: int, metrics: Mapping[str, float]) -> None:
        """Reports the metrics of one finished epoch; ``step`` counts from 1."""

    def resumed(self, step: int) -> None:
        """Says that training goes on behind an epoch, from the checkpoint in ``checkpoint_dir``."""

    def checkpointed(self, step: int) -> None:
        """Says that ``checkpoint_dir`` holds the state at the end of an epoch; costs next to nothing."""

    def should_stop(self) -> bool:
        """Whether the training job was asked to stop; cheap enough for every optimizer step."""


class Trainer(Protocol):
    """Trains one model. Constructed without arguments, once per process."""

    def warm_up(self, device: str) -> None:
        """Imports and initialises what every training job needs, before the first one trains."""

    def train(self, context: TrainingContext) -> None:
        """Trains until done or asked to stop, and leaves the best model in ``artifact_dir``.

        Raises:
            AlgorithmError: With a message for the user.
        """


@dataclass(frozen=True)
class Recommendation:
    """One recommended item.

    Attributes:
        item_id: The item's ITEM_ID.
        score: Its softmax score over the whole catalogue, in (0, 1).
    """

    item_id: str
    score: float


class Recommender(Protocol):
    """A trained model that recommends. Constructed with the local directory of its artifact."""

    def recommend_for_user(
        self,
        user_id: str,
        interactions: DataChannel,
        k: int,
        *,
        filter_seen: bool = False,
        users: DataChannel | None = None,
        context: Mapping[str, str] | None = None,
    ) -> Sequence[Recommendation]:
        """The best ``k`` items for a user of the interactions data, by the user's latest history there.

        The data are read as in training, with the same columns and filters. A user without history gets popular items.
        Metadata of users and the context of the request, text by column, are given only to algorithms that take them.
        """
