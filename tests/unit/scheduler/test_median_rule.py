"""The median rule, by numbers computed by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrnn_tuner.domain.objective import Objective, ObjectiveType
from scheduler_service.early_stopping import ListedPeers, MedianRule, Point

MAXIMIZE = Objective(ObjectiveType.MAXIMIZE, "score")
MINIMIZE = Objective(ObjectiveType.MINIMIZE, "loss")


def stops(value: float, means: list[float], *, epoch: int = 3, objective: Objective = MAXIMIZE) -> bool:
    rule = MedianRule(objective, min_epoch=3, min_training_jobs=3)
    return rule.decide(Point(9, epoch, value), ListedPeers(objective, means)).stop


@pytest.mark.parametrize(
    ("value", "means", "expected"),
    [
        (0.29, [0.1, 0.3, 0.5], True),
        (0.30, [0.1, 0.3, 0.5], False),  # as good as the median
        (0.31, [0.1, 0.3, 0.5], False),
        (0.39, [0.1, 0.3, 0.5, 0.9], True),  # the median is 0.4
        (0.41, [0.1, 0.3, 0.5, 0.9], False),
    ],
)
def test_a_value_below_the_median_of_the_means_is_stopped(value: float, means: list[float], expected: bool) -> None:
    assert stops(value, means) is expected


def test_a_larger_value_is_worse_when_minimizing() -> None:
    assert stops(0.31, [0.1, 0.3, 0.5], objective=MINIMIZE)
    assert not stops(0.29, [0.1, 0.3, 0.5], objective=MINIMIZE)


def test_the_decision_shows_what_was_compared() -> None:
    rule = MedianRule(MAXIMIZE, min_epoch=3, min_training_jobs=3)
    decision = rule.decide(Point(9, 4, 0.2), ListedPeers(MAXIMIZE, [0.1, 0.3, 0.5, 0.9]))
    assert decision.rule == "MEDIAN"
    assert decision.figures == {"epoch": 4.0, "value": 0.2, "training_jobs": 4.0, "median": 0.4}
    assert "0.2 after epoch 4 is worse than 0.4" in decision.explanation


@settings(deadline=None)  # the rule is quick, a busy machine is not
@given(value=st.floats(-1, 1), means=st.lists(st.floats(-1, 1), max_size=9), epoch=st.integers(1, 2))
def test_nothing_is_stopped_before_the_first_epoch_of_the_rule(value: float, means: list[float], epoch: int) -> None:
    assert not stops(value, means, epoch=epoch)


@settings(deadline=None)  # the rule is quick, a busy machine is not
@given(value=st.floats(-1, 1), means=st.lists(st.floats(-1, 1), max_size=2), epoch=st.integers(1, 9))
def test_nothing_is_stopped_by_fewer_others_than_the_operator_asks_for(
    value: float, means: list[float], epoch: int
) -> None:
    assert not stops(value, means, epoch=epoch)


@settings(deadline=None)  # the rule is quick, a busy machine is not
@given(value=st.floats(-1, 1), means=st.lists(st.floats(-1, 1), min_size=3, max_size=9), data=st.data())
def test_the_order_of_the_others_does_not_matter(value: float, means: list[float], data: st.DataObject) -> None:
    assert stops(value, means) == stops(value, data.draw(st.permutations(means)))


def test_every_epoch_is_a_level_and_all_training_jobs_are_compared() -> None:
    rule = MedianRule(MAXIMIZE, min_epoch=3, min_training_jobs=3)
    assert [rule.level(1, epoch) for epoch in (1, 2, 7)] == [1, 2, 7]
    assert {rule.pool(number) for number in range(1, 20)} == {0}
