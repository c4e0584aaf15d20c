"""What each training job that ends with a value changes for the completion criteria."""

from __future__ import annotations

import heapq
from dataclasses import replace

from hrnn_tuner.domain.completion import CompletionDetails
from hrnn_tuner.domain.objective import Objective, ObjectiveType
from scheduler_service.completion.convergence import RANK


def is_improvement(objective: Objective, value: float, than: float, share: float) -> bool:
    """Whether a value is better by at least ``share`` times the absolute value of what it is compared with.

    That is no bound where that value is 0: there any better value is an improvement.
    """
    return objective.is_better(value, than) and abs(value - than) >= share * abs(than)


def counted(details: CompletionDetails, objective: Objective, value: float, share: float) -> CompletionDetails:
    """The details after a training job ended with a value.

    For an improvement, it is compared with the last value that was one, and not with the best one: steps that are small
    one by one add up to an improvement.
    """
    best = heapq.merge(details.best_values, [value], reverse=objective.type is ObjectiveType.MAXIMIZE)
    details = replace(details, best_values=tuple(best)[:RANK])
    last = details.last_improvement
    if last is None or is_improvement(objective, value, last, share):
        return replace(details, not_improving=0, last_improvement=value)
    return replace(details, not_improving=details.not_improving + 1)
