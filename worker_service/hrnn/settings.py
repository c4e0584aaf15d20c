"""The hyperparameters of one training job as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from hrnn_tuner.algorithms.contract import AlgorithmError
from hrnn_tuner.algorithms.hrnn import ALGORITHM
from hrnn_tuner.algorithms.specification import Algorithm
from hrnn_tuner.domain.search_space import Value


@dataclass(frozen=True)
class HrnnSettings:
    """Every hyperparameter that the networks share, by its name in requests; the declaration says what each means."""

    hidden_dimension: int
    bptt: int
    recency_mask: bool
    min_user_history_length_percentile: float
    max_user_history_length_percentile: float
    cell: str
    use_query_gap: bool
    own_items: bool
    session_gap: int
    recency_half_life_days: float
    learning_rate: float
    dropout: float
    batch_tokens: int
    epochs: int
    patience: int
    loss: str
    negative_samples: int
    precision: str
    seed: int
    split: str
    truth: str

    @classmethod
    def from_hyperparameters(
        cls, hyperparameters: Mapping[str, Value], algorithm: Algorithm = ALGORITHM
    ) -> HrnnSettings:
        """Takes the given values and the declared default of every other hyperparameter.

        Args:
            hyperparameters: Of ``algorithm``.
            algorithm: One that has all of ``hrnn``'s and perhaps others, which are for others to take.

        Raises:
            AlgorithmError: For a name that the algorithm does not have.
        """
        values = all_values(hyperparameters, algorithm)
        return cls(**cast(dict[str, Any], {field.name: values[field.name] for field in fields(cls)}))


def all_values(hyperparameters: Mapping[str, Value], algorithm: Algorithm) -> dict[str, Value]:
    """Every hyperparameter of an algorithm with the given value or its default.

    Raises:
        AlgorithmError: For a name that the algorithm does not have.
    """
    defaults = algorithm.defaults()
    unknown = sorted(set(hyperparameters) - set(defaults))
    if unknown:
        raise AlgorithmError(f"unknown hyperparameters: {', '.join(unknown)}; known: {', '.join(sorted(defaults))}")
    return {**defaults, **hyperparameters}
