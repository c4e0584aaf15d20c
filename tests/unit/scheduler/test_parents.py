"""What a strategy sees of warm-start parents."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    Condition,
    ContinuousRange,
    IntegerRange,
    SearchSpace,
    Value,
)
from hrnn_tuner.domain.trial import Trial, TrialStatus
from hrnn_tuner.domain.warm_start import ParentResult, WarmStartType
from scheduler_service.strategies import History, ParentTrials, RandomStrategy
from scheduler_service.strategies.parents import parent_trials
from scheduler_service.strategies.sobol import SobolStrategy
from tests.support.tuning import make_spec

IDENTICAL, TRANSFER = WarmStartType.IDENTICAL_DATA_AND_ALGORITHM, WarmStartType.TRANSFER_LEARNING
OBJECTIVE = Objective(ObjectiveType.MAXIMIZE, "score")
#: x in [0, 1], k in 1 to 10 and flag are tuned; c is "b" and epochs is 2.
CHILD = make_spec(static={"c": "b"}).definitions[0]
RESULT = ParentResult(3, {"x": 0.5, "k": 4, "flag": True, "c": "b", "epochs": 2}, 0.7)


def seen(result: ParentResult, kind: WarmStartType = IDENTICAL) -> ParentTrials:
    return parent_trials(CHILD, kind, "parent", [result])


def with_value(name: str, value: Value) -> ParentResult:
    return replace(RESULT, hyperparameters={**RESULT.hyperparameters, name: value})


def test_a_result_is_a_trial_with_the_childs_names() -> None:
    parent = seen(RESULT)
    (trial,) = parent.trials
    assert dict(trial.configuration) == {"x": 0.5, "k": 4, "flag": True}
    assert (trial.number, trial.status, trial.value) == (3, TrialStatus.OBSERVED, 0.7)
    assert parent.like_own == parent.trials


def test_a_training_job_without_a_value_is_a_failed_trial() -> None:
    (trial,) = seen(replace(RESULT, value=None)).trials
    assert (trial.status, trial.value) == (TrialStatus.FAILED, None)


@pytest.mark.parametrize(("name", "value"), [("x", 1.5), ("k", 11)])
def test_a_trial_outside_of_the_space_keeps_its_values_and_is_marked(name: str, value: Value) -> None:
    parent = seen(with_value(name, value))
    (trial,) = parent.trials
    assert trial.configuration[name] == value
    assert (trial.inside, trial.same_rest) == (False, True)
    assert parent.like_own == ()


@pytest.mark.parametrize(("name", "value"), [("c", "a"), ("epochs", 3)])
def test_another_value_of_what_is_not_tuned_is_not_like_an_own_result(name: str, value: Value) -> None:
    parent = seen(with_value(name, value))
    (trial,) = parent.trials
    assert (trial.inside, trial.same_rest) == (True, False)
    assert parent.like_own == ()


def test_a_training_job_that_paused_is_a_hint_and_no_own_result() -> None:
    parent = seen(replace(RESULT, whole=False))
    assert (parent.like_own, parent.hints) == ((), parent.trials)


def test_other_data_give_no_result_like_an_own_one() -> None:
    assert seen(RESULT, TRANSFER).like_own == ()


def test_a_history_knows_parents_and_own_trials() -> None:
    own = Trial(1, {"x": 0.1, "k": 1, "flag": False})
    parent = seen(RESULT)
    history = History(CHILD.space, OBJECTIVE, 1, (own,), (parent, seen(RESULT, TRANSFER)))
    assert history.known == (*parent.trials, own)


FINITE = SearchSpace((CategoricalRange("c", ("a", "b", "d")), CategoricalRange("flag", (True, False))))


@given(tried=st.sets(st.integers(0, 5)), seed=st.integers(0, 100))
def test_random_search_tries_exactly_what_identical_parents_left(tried: set[int], seed: int) -> None:
    definition = replace(CHILD, space=FINITE, static_hyperparameters={})
    results = [
        ParentResult(number, definition.resolve(FINITE.grid_point(point)), 0.5)
        for number, point in enumerate(sorted(tried), start=1)
    ]
    parents = (parent_trials(definition, IDENTICAL, "parent", results),)
    proposals = RandomStrategy().propose(History(FINITE, OBJECTIVE, parents=parents), range(1, 8), seed)
    points = sorted(tuple(proposal.hyperparameters.items()) for proposal in proposals)
    left = [tuple(FINITE.grid_point(point).items()) for point in range(6) if point not in tried]
    assert points == sorted(left)


def test_the_parents_seed_does_not_repeat_its_draws_in_an_infinite_space() -> None:
    space = SearchSpace((ContinuousRange("x", 0.0, 1.0),))
    definition = replace(CHILD, space=space, static_hyperparameters={})
    first = RandomStrategy().propose(History(space, OBJECTIVE), range(1, 5), seed=9)
    results = [
        ParentResult(number, definition.resolve(proposal.hyperparameters), 0.1)
        for number, proposal in enumerate(first, start=1)
    ]
    history = History(space, OBJECTIVE, parents=(parent_trials(definition, IDENTICAL, "parent", results),))
    second = RandomStrategy().propose(history, range(1, 5), seed=9)
    assert {proposal.hyperparameters["x"] for proposal in first}.isdisjoint(
        proposal.hyperparameters["x"] for proposal in second
    )


def test_a_hyperparameter_that_does_not_apply_is_absent_and_must_have_its_fixed_value() -> None:
    flag = CategoricalRange("flag", (True, False))
    space = SearchSpace((IntegerRange("k", 1, 9, condition=Condition("flag", (True,))), flag))
    definition = replace(CHILD, space=space, static_hyperparameters={"c": "b", "x": 0.5, "k": 4})
    off = with_value("flag", False)
    (trial,) = parent_trials(definition, IDENTICAL, "parent", [off]).like_own
    assert trial.configuration == {"flag": False}
    other = replace(off, hyperparameters={**off.hyperparameters, "k": 5})
    assert parent_trials(definition, IDENTICAL, "parent", [other]).like_own == ()
    (on,) = parent_trials(definition, IDENTICAL, "parent", [with_value("k", 5)]).like_own
    assert on.configuration == {"k": 5, "flag": True}


def test_the_parents_seed_does_not_repeat_its_points_of_a_sobol_sequence() -> None:
    space = SearchSpace((ContinuousRange("x", 0.0, 1.0), ContinuousRange("y", 0.0, 1.0)))
    definition = replace(CHILD, space=space, static_hyperparameters={})
    first = SobolStrategy().propose(History(space, OBJECTIVE), range(1, 5), seed=9)
    results = [ParentResult(1, definition.resolve(proposal.hyperparameters), 0.1) for proposal in first]
    history = History(space, OBJECTIVE, parents=(parent_trials(definition, IDENTICAL, "parent", results),))
    second = SobolStrategy().propose(history, range(1, 5), seed=9)
    assert all(proposal.hyperparameters not in [other.hyperparameters for other in first] for proposal in second)
