"""A strategy that reads configurations only proposes the same from their keys as from the trials themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import CategoricalRange, IntegerRange, SearchSpace
from hrnn_tuner.domain.trial import Trial
from scheduler_service.strategies import History, RandomStrategy, Reads, SobolStrategy
from scheduler_service.strategies.contract import Strategy

SPACE = SearchSpace((IntegerRange("k", 1, 4), CategoricalRange("c", ("a", "b", True))))
TOTAL = 12


@pytest.mark.parametrize("strategy", [RandomStrategy(), SobolStrategy()])
@given(launched=st.integers(0, TOTAL), wanted=st.integers(1, TOTAL), seed=st.integers(0, 2**32))
def test_keys_stand_for_trials(strategy: Strategy, launched: int, wanted: int, seed: int) -> None:
    assert strategy.reads(SPACE) is Reads.CONFIGURATIONS
    trials = tuple(Trial(number, SPACE.grid_point(number - 1)) for number in range(1, launched + 1))
    history = History(SPACE, Objective(ObjectiveType.MAXIMIZE, "score"), launched, trials)
    keys = {SPACE.key(trial.configuration) for trial in trials}
    numbers = range(launched + 1, launched + 1 + wanted)
    proposals = strategy.propose(replace(history, trials=(), keys=keys), numbers, seed)
    assert proposals == strategy.propose(history, numbers, seed)
    assert len(keys) == launched, "what is kept is not changed"
    assert len({SPACE.key(item.hyperparameters) for item in proposals} | keys) == launched + len(proposals)
