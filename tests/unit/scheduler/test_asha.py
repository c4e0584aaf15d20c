"""Successive halving with promotion, by numbers computed by hand and as properties."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, SearchSpace
from hrnn_tuner.domain.trial import Trial, TrialStatus
from scheduler_service.strategies import History, RandomStrategy
from scheduler_service.strategies.asha import AshaStrategy
from tests.unit.scheduler.strategy_contract import (
    LEVELS,
    MAXIMIZE,
    MINIMIZE,
    MIXED,
    PromotingContract,
    SeededContract,
    StrategyContract,
    pending_of,
)

ASHA = AshaStrategy()
LINE = SearchSpace((ContinuousRange("x", 0.0, 1.0),))


class TestAsha(StrategyContract, SeededContract, PromotingContract):
    strategy = ASHA
    space = MIXED


def paused(number: int, value: float, until: int = 1, continues: int = 0) -> Trial:
    """A trial that paused at a level."""
    configuration = {"x": (continues or number) / 100}
    return Trial(number, configuration, TrialStatus.OBSERVED, value, continues, until, paused=True)


def history_of(*trials: Trial, space: SearchSpace = LINE) -> History:
    return History(space, MAXIMIZE, len(trials), trials, levels=LEVELS)


def next_of(history: History, count: int = 1) -> list[tuple[int, int | None]]:
    """What each proposal continues, and until when it trains."""
    first = history.launched + 1
    found = ASHA.propose(history, range(first, first + count), seed=1)
    return [(proposal.continues, proposal.until_epoch) for proposal in found]


def test_training_jobs_begin_at_the_lowest_level() -> None:
    assert next_of(history_of(), 3) == [(0, 1)] * 3


def test_nothing_is_promoted_before_three_have_paused() -> None:
    assert next_of(history_of(paused(1, 0.9), paused(2, 0.1))) == [(0, 1)]


def test_the_best_of_three_is_promoted_once_and_the_others_wait() -> None:
    known = history_of(paused(1, 0.2), paused(2, 0.9), paused(3, 0.1))
    assert next_of(known, 2) == [(2, 3), (0, 1)]


def test_the_highest_level_that_has_one_is_promoted_first() -> None:
    lowest = [paused(number, number / 10) for number in range(1, 10)]
    higher = [paused(10, 0.95, 3, 9), paused(11, 0.99, 3, 8), paused(12, 0.9, 3, 7)]
    promotions = ASHA.propose(history_of(*lowest, *higher), [13], seed=1)
    assert [(item.continues, item.origin, item.until_epoch) for item in promotions] == [(11, 8, 9)]
    assert promotions[0].hyperparameters == lowest[7].configuration
    assert promotions[0].figures == {"rank": 1.0, "paused": 3.0, "epochs": 9.0}


def test_with_an_objective_to_minimise_the_smallest_is_promoted() -> None:
    trials = (paused(1, 0.2), paused(2, 0.9), paused(3, 0.1))
    (proposal,) = ASHA.propose(History(LINE, MINIMIZE, 3, trials, levels=LEVELS), [4], seed=1)
    assert proposal.continues == 3


def test_failed_pending_and_finished_training_jobs_are_not_promoted() -> None:
    ended = Trial(1, {"x": 0.1}, TrialStatus.OBSERVED, 0.99, until_epoch=1)  # by itself, before it was to pause
    others = (Trial(2, {"x": 0.2}, TrialStatus.FAILED, until_epoch=1), Trial(3, {"x": 0.3}, until_epoch=1))
    assert next_of(history_of(ended, *others, paused(4, 0.2), paused(5, 0.1))) == [(0, 1)]
    # The one that ended counts among those that came as far: of six, the best two go on.
    more = (paused(4, 0.2), paused(5, 0.1), paused(6, 0.05), paused(7, 0.04), paused(8, 0.03))
    assert next_of(history_of(ended, *others, *more), 2) == [(4, 3), (0, 1)]


def test_the_top_level_is_the_end() -> None:
    top = [paused(number, number / 10, 9) for number in range(1, 7)]
    assert next_of(history_of(*top)) == [(0, 1)]


def test_where_every_configuration_was_begun_the_best_that_paused_goes_on_and_nothing_ends_before_results() -> None:
    space = SearchSpace((CategoricalRange("c", ("a", "b")),))
    running = tuple(Trial(number, {"c": name}, until_epoch=1) for number, name in ((1, "a"), (2, "b")))
    waiting = History(space, MAXIMIZE, 2, running, levels=LEVELS)
    assert ASHA.propose(waiting, [3], seed=1) == []
    assert not ASHA.exhausted(waiting, wanted=1, found=0)
    first, second = (
        Trial(number, {"c": name}, TrialStatus.OBSERVED, value, 0, 1, paused=True)
        for number, name, value in ((1, "a", 0.1), (2, "b", 0.2))
    )
    after = History(space, MAXIMIZE, 2, (first, second), levels=LEVELS)
    assert [item.continues for item in ASHA.propose(after, [3, 4, 5], seed=1)] == [2, 1]
    over = tuple(Trial(number, {"c": name}, TrialStatus.OBSERVED, 0.5, 0, 9) for number, name in ((1, "a"), (2, "b")))
    assert ASHA.exhausted(History(space, MAXIMIZE, 2, over, levels=LEVELS), wanted=1, found=0)


def test_new_configurations_do_not_depend_on_promotions() -> None:
    alone = RandomStrategy().propose(History(LINE, MAXIMIZE), range(1, 6), seed=1)
    begun = [Trial(number, item.hyperparameters, until_epoch=1) for number, item in enumerate(alone[:4], start=1)]
    promoted = [Trial(5, begun[2].configuration, continues=3, until_epoch=3)]
    (proposal,) = ASHA.propose(history_of(*begun, *promoted), [6], seed=1)
    assert proposal.hyperparameters == alone[4].hyperparameters


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_a_promotion_is_the_same_in_whatever_order_results_arrived(order: Sequence[int]) -> None:
    values = [0.5, 0.5, 0.1]  # a tie goes to the lower number
    assert next_of(history_of(*(paused(place + 1, values[place]) for place in order))) == [(1, 3)]


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_what_goes_on_is_among_the_best_third_of_its_level_and_goes_on_once(seed: int, parallel: int) -> None:
    rng = random.Random(seed)
    trials: list[Trial] = []
    for _ in range(60):
        running = [trial for trial in trials if trial.status is TrialStatus.PENDING]
        while len(running) < parallel:
            history = History(LINE, MAXIMIZE, len(trials), tuple(trials), levels=LEVELS)
            (proposal,) = ASHA.propose(history, [len(trials) + 1], seed)
            if proposal.continues:
                assert_among_the_best(trials, trials[proposal.continues - 1])
            trials.append(pending_of(len(trials) + 1, proposal))
            running.append(trials[-1])
        ended = rng.choice(running)
        failed = rng.random() < 0.1
        trials[ended.number - 1] = Trial(
            ended.number,
            ended.configuration,
            TrialStatus.FAILED if failed else TrialStatus.OBSERVED,
            None if failed else round(rng.random(), 1),
            ended.continues,
            ended.until_epoch,
            paused=not failed,
        )
    continued = [trial.continues for trial in trials if trial.continues]
    assert len(continued) == len(set(continued))
    for trial in trials:
        if trial.continues:
            before = trials[trial.continues - 1]
            assert before.paused
            assert before.configuration == trial.configuration
            assert (before.until_epoch, trial.until_epoch) in {(1, 3), (3, 9)}


def assert_among_the_best(trials: Sequence[Trial], promoted: Trial) -> None:
    level = [trial for trial in trials if trial.until_epoch == promoted.until_epoch and trial.value is not None]
    assert promoted.value is not None
    better = sum(trial.value > promoted.value for trial in level if trial.value is not None)
    assert better < len(level) // 3
