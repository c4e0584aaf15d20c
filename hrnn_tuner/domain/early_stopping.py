"""What a user says about stopping training jobs early, and what is known of how long they train."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from hrnn_tuner.domain.search_space import Value

#: Names of the hyperparameter that says for how many epochs a model is trained, as in SageMaker's algorithms.
EPOCH_HYPERPARAMETERS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")


#: Successive halving lets one training job in so many go on from a level.
REDUCTION_FACTOR = 3


class EarlyStoppingType(enum.Enum):
    """Whether training jobs that fall behind are stopped early."""

    OFF = "OFF"
    AUTO = "AUTO"


@dataclass(frozen=True)
class HyperbandConfig:
    """Epochs before which no training job is stopped, and at which every one is; ``min_resource <= max_resource``."""

    min_resource: int
    max_resource: int

    @property
    def levels(self) -> tuple[int, ...]:
        """The epochs after which training jobs are compared: the minimum times powers of three, below the maximum."""
        found = []
        level = self.min_resource
        while level < self.max_resource:
            found.append(level)
            level *= REDUCTION_FACTOR
        return tuple(found)


def planned_epochs(hyperparameters: Mapping[str, Value]) -> int | None:
    """The number of epochs that hyperparameters ask for; None when none of them is a whole number of epochs."""
    values = [hyperparameters[name] for name in EPOCH_HYPERPARAMETERS if name in hyperparameters]
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool) and value >= 1]
    return numbers[0] if numbers else None
