"""Each definition of a tuning job has a sequence of proposals of its own, with numbers and a seed of its own.

So a definition is searched in the same way alone and beside others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from hrnn_tuner.domain.trial import Trial, TrialStatus
from hrnn_tuner.domain.tuning_job import StrategyName, TrainingJobDefinition, TuningJobSpec
from scheduler_service.definition_bandit import Standing, choose_definition
from scheduler_service.strategies import History, ParentTrials

#: Seeds stay below 2^53, which every client language can hold exactly.
_SEED_BITS = 53


def own_seed(spec: TuningJobSpec, definition: TrainingJobDefinition) -> int:
    """Seed of a definition's sequence: the tuning job's for the first, a hash of it and the name for the others."""
    if definition is spec.definitions[0]:
        return spec.seed
    digest = hashlib.sha256(f"{spec.seed}/{definition.name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _SEED_BITS)


def own_history(
    definition: TrainingJobDefinition,
    trials: Iterable[tuple[str, Trial]],
    parents: tuple[ParentTrials, ...] = (),
    levels: tuple[int, ...] = (),
    budget: int = 0,
) -> History:
    """What a strategy may look at in one definition.

    Args:
        definition: The definition.
        trials: All trials of the tuning job with the names of their definitions, by number.
        parents: What warm-start parents found out.
        levels: The epochs at which the tuning job's training jobs pause.
        budget: How many training jobs may be launched in all.
    """
    own = tuple(
        replace(trial, number=number)
        for number, trial in enumerate((trial for name, trial in trials if name == definition.name), start=1)
    )
    return History(definition.space, definition.objective, len(own), own, parents, levels, budget)


def next_definition(
    spec: TuningJobSpec, trials: Sequence[tuple[str, Trial]], closed: Collection[str] = ()
) -> TrainingJobDefinition | None:
    """The definition of the next training job; None when no search space has a point left.

    Args:
        spec: Of the tuning job.
        trials: All trials so far with the names of their definitions.
        closed: Names of definitions that propose nothing more, whatever the size of their space.
    """
    sign = spec.objective.sign
    standings = []
    for definition in spec.definitions:
        own = [trial for name, trial in trials if name == definition.name]
        values = tuple(
            float("-inf") if trial.value is None else sign * trial.value
            for trial in own
            if trial.status is not TrialStatus.PENDING
        )
        space = definition.space.grid if spec.strategy is StrategyName.GRID else definition.space
        points = space.cardinality
        room = None if points is None else points - len(own)
        standings.append(Standing(len(own), values, 0 if definition.name in closed else room))
    remaining = spec.limits.max_training_jobs - len(trials)
    place = choose_definition(standings, remaining, f"{spec.seed}/definition/{len(trials) + 1}")
    return None if place is None else spec.definitions[place]
