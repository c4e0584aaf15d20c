"""When a tuning job ends before its last training job, and how far it is from that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class CompletionCriteria:
    """Reasons to end a tuning job early; any one ends it.

    Attributes:
        target_value: A training job ended with this objective value or a better one; None for no target.
        max_not_improving: So many training jobs in a row were no improvement; None for any number.
        on_convergence: The search has converged.
    """

    target_value: float | None = None
    max_not_improving: int | None = None
    on_convergence: bool = False


@dataclass(frozen=True)
class CompletionDetails:
    """How far a tuning job is from its completion criteria.

    Attributes:
        not_improving: Training jobs with an objective value that ended since the last improvement.
        last_improvement: The objective value of the last improvement; None before the first value.
        best_values: The best objective values, the best first; those that tell of convergence.
        converged_at: When the search was first found to have converged.
    """

    not_improving: int = 0
    last_improvement: float | None = None
    best_values: tuple[float, ...] = ()
    converged_at: datetime | None = None
