"""What a user says about stopping training jobs early, and what is known of how long they train."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from hrnn_tuner.domain.search_space import Value

#: Names of the hyperparameter that says for how many epochs a model is trained, as in SageMaker's algorithms.
EPOCH_HYPERPARAMETERS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")


class EarlyStoppingType(enum.Enum):
    """Whether training jobs that fall behind are stopped early."""

    OFF = "OFF"
    AUTO = "AUTO"


@dataclass(frozen=True)
class HyperbandConfig:
    """Epochs before which no training job is stopped, and at which every one is; ``min_resource <= max_resource``."""

    min_resource: int
    max_resource: int


def planned_epochs(hyperparameters: Mapping[str, Value]) -> int | None:
    """The number of epochs that hyperparameters ask for; None when none of them is a whole number of epochs."""
    values = [hyperparameters[name] for name in EPOCH_HYPERPARAMETERS if name in hyperparameters]
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool) and value >= 1]
    return numbers[0] if numbers else None
