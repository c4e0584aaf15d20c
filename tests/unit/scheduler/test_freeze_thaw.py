"""A model that chooses between new configurations and those that paused."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.trial import Trial, TrialStatus
from scheduler_service.strategies import History
from scheduler_service.strategies.bayesian import BayesianStrategy
from scheduler_service.strategies.chains import chains_of, joined, levelled
from scheduler_service.strategies.freeze_thaw import FreezeThawStrategy
from tests.unit.scheduler.strategy_contract import (
    LEVELS,
    MAXIMIZE,
    MIXED,
    LearningContract,
    PromotingContract,
    SeededContract,
    StrategyContract,
)

STRATEGY = FreezeThawStrategy()
LINE = SearchSpace((ContinuousRange("x", 0.0, 1.0),))


class TestFreezeThaw(StrategyContract, SeededContract, LearningContract, PromotingContract):
    strategy = STRATEGY
    space = MIXED
    many = (1_500, 10_000)


def ended(number: int, x: float, value: float, until: int = 1, continues: int = 0) -> Trial:
    """A trial that paused at a level, which is where a training ends that was to be whole, too."""
    return Trial(number, {"x": x}, TrialStatus.OBSERVED, value, continues, until, paused=True)


def history_of(trials: Sequence[Trial], space: SearchSpace = LINE) -> History:
    return History(space, MAXIMIZE, len(trials), tuple(trials), levels=LEVELS)


def next_of(trials: Sequence[Trial], count: int = 1) -> list[Proposal]:
    return STRATEGY.propose(history_of(trials), range(len(trials) + 1, len(trials) + 1 + count), seed=1)


def learning(epoch: int, x: float) -> float:
    """A learning curve: best at 0.7, where it is also the slowest at first."""
    return 1.0 - (x - 0.7) ** 2 - 0.5 / epoch


def begun(*places: float) -> list[Trial]:
    return [ended(number, x, learning(1, x)) for number, x in enumerate(places, start=1)]


def taken_on(trials: list[Trial], number: int, until: int) -> None:
    """Continues a trial to a level."""
    x = trials[number - 1].configuration["x"]
    assert isinstance(x, float)
    trials.append(ended(len(trials) + 1, x, learning(until, x), until, continues=number))


PLACES = (0.05, 0.25, 0.45, 0.66, 0.85, 0.95)


def test_it_begins_at_the_lowest_level_as_the_bayesian_strategy_does() -> None:
    found = STRATEGY.propose(history_of([]), range(1, 4), seed=3)
    expected = BayesianStrategy().propose(History(LINE, MAXIMIZE), range(1, 4), seed=3)
    assert [item.hyperparameters for item in found] == [item.hyperparameters for item in expected]
    assert {(item.strategy, item.continues, item.until_epoch) for item in found} == {("BAYESIAN_ASHA", 0, 1)}


def test_until_one_is_whole_the_best_goes_on_alone_and_others_begin() -> None:
    trials = begun(*PLACES)
    first, second = next_of(trials, 2)
    assert (first.continues, first.origin, first.until_epoch) == (4, 4, 3)
    assert first.explanation == "goes on with training job 4 after epoch 1: none is whole yet"
    assert (second.continues, second.until_epoch) == (0, 1)
    taken_on(trials, 4, 3)
    (third,) = next_of(trials)
    assert (third.continues, third.origin, third.until_epoch) == (7, 4, 9)


def test_what_promises_more_per_epoch_is_next() -> None:
    trials = begun(*PLACES)
    taken_on(trials, 4, 3)
    taken_on(trials, 7, 9)
    (unlike,) = next_of(trials)
    assert unlike.continues == 0, "the paused ones lie far below"
    trials.append(ended(len(trials) + 1, 0.7, learning(1, 0.7) + 0.05))
    (promising,) = next_of(trials)
    assert (promising.continues, promising.origin, promising.until_epoch) == (9, 9, 3)
    assert promising.figures["improvement_per_epoch"] > promising.figures["improvement_per_epoch_of_new"]
    assert "that of a new configuration" in promising.explanation
    assert {"acquisition_value", "predicted_mean", "predicted_sd", "best_observed"} <= promising.figures.keys()


def test_the_same_results_give_the_same_proposals() -> None:
    trials = begun(*PLACES)
    taken_on(trials, 4, 3)
    taken_on(trials, 7, 9)
    assert next_of(trials, 3) == next_of(trials, 3)
    one_by_one = next_of(trials)
    pending = [*trials, Trial(9, one_by_one[0].hyperparameters, until_epoch=one_by_one[0].until_epoch)]
    assert next_of(trials, 2) == [*one_by_one, *next_of(pending)]


def test_where_every_configuration_was_begun_the_best_that_paused_goes_on_and_nothing_ends_before_results() -> None:
    space = SearchSpace((CategoricalRange("c", ("a", "b")),))
    running = [Trial(number, {"c": name}, until_epoch=1) for number, name in ((1, "a"), (2, "b"))]
    waiting = history_of(running, space)
    assert STRATEGY.propose(waiting, [3], seed=1) == []
    assert not STRATEGY.exhausted(waiting, wanted=1, found=0)
    values = ((1, "a", 0.1), (2, "b", 0.2))
    known = [
        Trial(number, {"c": name}, TrialStatus.OBSERVED, value, 0, 1, paused=True) for number, name, value in values
    ]
    assert [item.continues for item in STRATEGY.propose(history_of(known, space), [3, 4, 5], seed=1)] == [2, 1]
    whole = [Trial(number, {"c": name}, TrialStatus.OBSERVED, value, 0, 9) for number, name, value in values]
    assert STRATEGY.exhausted(history_of(whole, space), wanted=1, found=0)


def test_only_what_paused_goes_on_and_only_once_and_the_best_place_is_found_in_few_epochs() -> None:
    rng = random.Random(3)
    trials: list[Trial] = []
    for _ in range(40):
        while sum(trial.status is TrialStatus.PENDING for trial in trials) < 3:
            (proposal,) = next_of(trials)
            if proposal.continues:
                before = trials[proposal.continues - 1]
                assert before.paused
                assert before.configuration == proposal.hyperparameters
                assert (before.until_epoch, proposal.until_epoch) in {(1, 3), (3, 9)}
            number = len(trials) + 1
            trials.append(
                Trial(
                    number,
                    proposal.hyperparameters,
                    TrialStatus.PENDING,
                    None,
                    proposal.continues,
                    proposal.until_epoch,
                )
            )
        over = rng.choice([trial for trial in trials if trial.status is TrialStatus.PENDING])
        x, until = over.configuration["x"], over.until_epoch or 0
        assert isinstance(x, float)
        trials[over.number - 1] = ended(over.number, x, learning(until, x), until, over.continues)
    continued = [trial.continues for trial in trials if trial.continues]
    assert len(continued) == len(set(continued))
    whole = [trial.value or 0.0 for trial in trials if trial.until_epoch == LEVELS[-1] and trial.value is not None]
    assert max(whole) == pytest.approx(learning(9, 0.7), abs=1e-3)


def test_a_chain_is_joined_to_one_trial_with_the_values_of_all_levels() -> None:
    trials = [
        *(ended(1, 0.1, 0.1), ended(2, 0.2, 0.2), Trial(3, {"x": 0.3}, TrialStatus.FAILED, until_epoch=1)),
        *(ended(4, 0.2, 0.4, 3, 2), Trial(5, {"x": 0.2}, continues=4, until_epoch=9)),
    ]
    found = joined(chains_of(trials), history_of(trials))
    assert found.launched == 3
    assert [(trial.number, trial.status, trial.value, trial.before) for trial in found.trials] == [
        (1, TrialStatus.OBSERVED, 0.1, ()),
        (2, TrialStatus.OBSERVED, 0.4, ((1, 0.2),)),
        (2, TrialStatus.PENDING, None, ()),
        (3, TrialStatus.FAILED, None, ()),
    ]


def test_values_of_lower_levels_are_carried_by_the_median_gain_of_those_that_went_on() -> None:
    trials = [
        *(ended(1, 0.1, 0.1), ended(2, 0.2, 0.2), ended(3, 0.3, 0.3), ended(4, 0.4, 0.4)),
        *(ended(5, 0.4, 0.5, 3, 4), ended(6, 0.3, 0.6, 3, 3), ended(7, 0.2, 0.5, 3, 2)),  # gained 0.1, 0.3 and 0.3
        Trial(8, {"x": 0.8}, TrialStatus.OBSERVED, 0.15, until_epoch=1),  # ended by itself: it gains nothing more
    ]
    found = levelled(joined(chains_of(trials), history_of(trials)))
    assert [(trial.number, trial.until_epoch, trial.value) for trial in found.trials] == [
        (1, 1, pytest.approx(0.4)),
        *((2, 1, pytest.approx(0.5)), (2, 3, 0.5)),
        *((3, 1, pytest.approx(0.6)), (3, 3, 0.6)),
        *((4, 1, pytest.approx(0.7)), (4, 3, 0.5)),
        (5, 1, 0.15),
    ]
