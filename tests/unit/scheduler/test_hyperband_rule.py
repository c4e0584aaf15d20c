"""Hyperband without waiting, by numbers computed by hand."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrnn_tuner.domain.early_stopping import HyperbandConfig
from hrnn_tuner.domain.objective import Objective, ObjectiveType
from scheduler_service.early_stopping import HyperbandRule, ListedPeers, Point
from scheduler_service.early_stopping.hyperband import bracket_weights

MAXIMIZE = Objective(ObjectiveType.MAXIMIZE, "score")
MINIMIZE = Objective(ObjectiveType.MINIMIZE, "loss")
CONFIG = HyperbandConfig(1, 27)
CONFIGS = st.builds(
    lambda low, more: HyperbandConfig(low, low + more), low=st.integers(1, 30), more=st.integers(0, 300)
)


def number_in(bracket: int, rule: HyperbandRule) -> int:
    """A training job of this bracket."""
    return next(number for number in range(1, 1000) if rule.pool(number) == bracket)


def test_levels_are_the_minimum_times_powers_of_three_below_the_maximum() -> None:
    assert CONFIG.levels == (1, 3, 9)
    assert HyperbandConfig(2, 50).levels == (2, 6, 18)
    assert HyperbandConfig(5, 5).levels == ()


def test_brackets_get_as_many_training_jobs_as_in_hyperband() -> None:
    # n = ceil((s_max + 1) / (s + 1) * 3^s) for s = 3, 2, 1, 0: the published table for R = 27.
    assert bracket_weights(3) == (27, 12, 6, 4)
    assert bracket_weights(0) == (1,)


@pytest.mark.parametrize(
    ("others", "stop"),
    [
        ([], False),  # nobody else has come so far
        ([0.9], False),  # two: there is no third of them
        ([0.9, 0.8], True),  # three: the best one goes on
        ([0.1, 0.2], False),
        ([0.5, 0.5], False),  # ties go on
        ([0.9, 0.1, 0.1, 0.1], True),  # five: still one
        ([0.9, 0.1, 0.1, 0.1, 0.1], False),  # six: two
        ([0.9, 0.8, 0.1, 0.1, 0.1], True),
    ],
)
def test_the_better_third_at_a_level_goes_on(others: list[float], stop: bool) -> None:
    rule = HyperbandRule(CONFIG, seed=1)
    number = number_in(0, rule)
    assert rule.decide(Point(number, 3, 0.5), ListedPeers(MAXIMIZE, others)).stop is stop
    lower = ListedPeers(MINIMIZE, [-value for value in others])
    assert rule.decide(Point(number, 3, -0.5), lower).stop is stop


def test_the_decision_shows_what_was_compared() -> None:
    rule = HyperbandRule(CONFIG, seed=1)
    decision = rule.decide(Point(number_in(1, rule), 3, 0.5), ListedPeers(MAXIMIZE, [0.9, 0.8, 0.1, 0.1, 0.1]))
    assert decision.rule == "HYPERBAND"
    assert decision.figures == {
        "epoch": 3.0,
        "value": 0.5,
        "bracket": 1.0,
        "training_jobs": 6.0,
        "rank": 3.0,
        "kept": 2.0,
    }
    assert decision.explanation == "rank 3 of 6 after epoch 3 in bracket 1, where the best 2 go on"


def test_a_bracket_begins_at_a_higher_level_than_the_one_before() -> None:
    rule = HyperbandRule(CONFIG, seed=1)
    reached = {
        bracket: [rule.level(number_in(bracket, rule), epoch) for epoch in (1, 2, 3, 8, 9, 26, 27, 40)]
        for bracket in range(4)
    }
    assert reached == {
        0: [1, 1, 3, 3, 9, 9, 27, 27],
        1: [None, None, 3, 3, 9, 9, 27, 27],
        2: [None, None, None, None, 9, 9, 27, 27],
        3: [None, None, None, None, None, None, 27, 27],
    }


@settings(deadline=None)  # the rule is quick, a busy machine is not
@given(config=CONFIGS, seed=st.integers(0, 2**53), number=st.integers(1, 10_000), data=st.data())
def test_no_training_job_is_stopped_before_the_minimum_or_goes_on_after_the_maximum(
    config: HyperbandConfig, seed: int, number: int, data: st.DataObject
) -> None:
    rule = HyperbandRule(config, seed)
    before = data.draw(st.integers(0, config.min_resource - 1))
    assert rule.level(number, before) is None, "it is not even asked"
    after = data.draw(st.integers(config.max_resource, 2 * config.max_resource))
    assert rule.level(number, after) == config.max_resource
    assert rule.decide(Point(number, after, 1.0), ListedPeers(MAXIMIZE, [])).stop


@settings(deadline=None)  # the rule is quick, a busy machine is not
@given(config=CONFIGS, seed=st.integers(0, 2**53), number=st.integers(1, 10_000))
def test_the_bracket_depends_on_seed_and_number_alone(config: HyperbandConfig, seed: int, number: int) -> None:
    assert HyperbandRule(config, seed).pool(number) == HyperbandRule(config, seed).pool(number)
    assert 0 <= HyperbandRule(config, seed).pool(number) <= len(config.levels)


def test_brackets_are_the_same_on_every_machine() -> None:
    rule = HyperbandRule(CONFIG, seed=7)
    assert [rule.pool(number) for number in range(1, 13)] == [
        0,
        0,
        0,
        0,
        2,
        0,
        0,
        0,
        1,
        0,
        3,
        0,
    ]


def test_training_jobs_fall_into_brackets_by_their_weights() -> None:
    rule = HyperbandRule(CONFIG, seed=0)
    counts = Counter(rule.pool(number) for number in range(1, 4901))
    for bracket, weight in enumerate((27, 12, 6, 4)):
        assert counts[bracket] == pytest.approx(100 * weight, rel=0.15)
