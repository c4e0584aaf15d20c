"""What the service chose in place of a user."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AutotuneChoice:
    """One choice.

    Attributes:
        field: Path in the request's tuning job, e.g. ``resource_limits.max_number_of_training_jobs``.
        value: What was chosen, for people.
        reason: Why, for people.
    """

    field: str
    value: str
    reason: str
