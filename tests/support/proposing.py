"""Asks strategies for proposals as the planner does."""

from __future__ import annotations

from collections.abc import Sequence

from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import SearchSpace, Value
from hrnn_tuner.domain.trial import Trial
from scheduler_service.strategies import History, Reads, Strategy

OBJECTIVE = Objective(ObjectiveType.MAXIMIZE, "score")


def propose(strategy: Strategy, space: SearchSpace, batches: Sequence[int], *, seed: int = 0) -> list[dict[str, Value]]:
    """The configurations that a strategy proposes in batches of these sizes, shown only what it says it reads."""
    found: list[dict[str, Value]] = []
    for size in batches:
        launched = len(found)
        reads = strategy.reads(space) is not Reads.NOTHING
        trials = tuple(Trial(number, point) for number, point in enumerate(found, start=1)) if reads else ()
        history = History(space, OBJECTIVE, launched, trials)
        proposals = strategy.propose(history, range(launched + 1, launched + 1 + size), seed)
        found += [dict(proposal.hyperparameters) for proposal in proposals]
    return found
