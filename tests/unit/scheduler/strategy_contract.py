"""What every strategy must satisfy, as test cases that its test class inherits."""

from __future__ import annotations

import copy
import math
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    Condition,
    ContinuousRange,
    IntegerRange,
    Scaling,
    SearchSpace,
)
from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.trial import Trial, TrialStatus
from scheduler_service.strategies import History, Strategy

MAXIMIZE = Objective(ObjectiveType.MAXIMIZE, "score")
MINIMIZE = Objective(ObjectiveType.MINIMIZE, "loss")
CATEGORICAL = SearchSpace((CategoricalRange("c", ("a", "b", "d")), CategoricalRange("flag", (True, False))))
MIXED = SearchSpace((ContinuousRange("x", 1e-4, 1.0), IntegerRange("k", 1, 9), CategoricalRange("c", ("a", "b", "d"))))
LOGARITHMIC = SearchSpace(
    (
        ContinuousRange("x", 1e-6, 1.0, Scaling.LOGARITHMIC),
        IntegerRange("k", 1, 10**6, Scaling.LOGARITHMIC),
        ContinuousRange("r", 0.0, 0.999, Scaling.REVERSE_LOGARITHMIC),
    )
)
#: 13 configurations: five and two where c is a, two where it is b, one where it is d.
CONDITIONAL = SearchSpace(
    (
        IntegerRange("k", 1, 5, condition=Condition("c", ("a",))),
        CategoricalRange("c", ("a", "b", "d")),
        CategoricalRange("flag", (True, False), Condition("c", ("a", "b"))),
    )
)
LEVELS = (1, 3, 9)
_MORE = (CategoricalRange("e", (1, 2, 3, 4)), CategoricalRange("f", (0.5, 0.7)))
COMBINATIONS = SearchSpace((*CATEGORICAL.ranges, *_MORE))
GRID_FOR_MANY = SearchSpace(tuple(CategoricalRange(f"c{axis}", tuple(range(6))) for axis in range(6)))  # 46,656 points

_PROPOSE = """
import pickle, sys
strategy, *given = pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(pickle.dumps(strategy.propose(*given)))
"""

Outcome = tuple[TrialStatus, float | None]


def key(configuration: Any) -> tuple[tuple[str, Any], ...]:
    """A hashable form of a configuration."""
    return tuple(sorted(configuration.items()))


def quality(space: SearchSpace, configuration: Any) -> float:
    """A smooth objective that is largest, 0, at 0.3 of every range."""
    active = (item for item in space.ranges if item.name in configuration)
    return -sum((item.unit(configuration[item.name]) - 0.3) ** 2 for item in active)


def observed(space: SearchSpace, configurations: Sequence[Any]) -> tuple[Trial, ...]:
    """Trials that ended well, numbered from 1."""
    return tuple(
        Trial(number, dict(point), TrialStatus.OBSERVED, quality(space, point))
        for number, point in enumerate(configurations, start=1)
    )


def drawn(space: SearchSpace, count: int, seed: int = 7) -> list[dict[str, Any]]:
    """Different random configurations."""
    rng = random.Random(seed)
    found: dict[Any, dict[str, Any]] = {}
    while len(found) < count:
        point = space.at(tuple(rng.random() for _ in space.ranges))
        found.setdefault(key(point), dict(point))
    return list(found.values())


def history_of(space: SearchSpace, trials: Sequence[Trial], objective: Objective = MAXIMIZE) -> History:
    """A history of these trials."""
    return History(space, objective, len(trials), tuple(trials))


def run(strategy: Strategy, space: SearchSpace, batches: list[int], seed: int) -> list[dict[str, Any]]:
    """Asks for proposals in batches, as the planner does; no training job ends."""
    configurations: list[dict[str, Any]] = []
    for size in batches:
        first = len(configurations) + 1
        trials = [Trial(number, point) for number, point in enumerate(configurations, start=1)]
        proposals = strategy.propose(history_of(space, trials), range(first, first + size), seed)
        configurations += [dict(proposal.hyperparameters) for proposal in proposals]
    return configurations


def tuned(strategy: Strategy, space: SearchSpace, count: int, seed: int, objective: Any = quality) -> list[float]:
    """The objective values of a sequential tuning job; they are to be maximised."""
    trials: list[Trial] = []
    for number in range(1, count + 1):
        (proposal,) = strategy.propose(history_of(space, trials), [number], seed)
        value = objective(space, proposal.hyperparameters)
        trials.append(Trial(number, proposal.hyperparameters, TrialStatus.OBSERVED, value))
    return [trial.value for trial in trials if trial.value is not None]


def in_another_process(strategy: Strategy, history: History, numbers: list[int]) -> list[Proposal]:
    """The proposals of a process that knows nothing but what it is given, with other hashes of strings."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "17"}
    given = pickle.dumps((strategy, history, numbers, 5))
    command = [sys.executable, "-c", _PROPOSE]
    ended = subprocess.run(command, input=given, capture_output=True, check=True, env=environment)
    found: list[Proposal] = pickle.loads(ended.stdout)
    return found


class StrategyContract:
    """What every strategy must satisfy.

    Attributes:
        strategy: The strategy.
        space: A space that it takes, of at least 20 points.
        many: How many trials of history it must bear: as many as there may be, and as many as a model takes.
    """

    strategy: ClassVar[Strategy]
    space: ClassVar[SearchSpace]
    many: ClassVar[tuple[int, ...]] = (10_000,)

    def after(
        self, trials: Sequence[Trial], count: int = 1, seed: int = 5, space: SearchSpace | None = None
    ) -> list[Any]:
        """The configurations of the proposals that follow these trials."""
        numbers = range(len(trials) + 1, len(trials) + 1 + count)
        proposals = self.strategy.propose(history_of(space or self.space, trials), numbers, seed)
        return [dict(proposal.hyperparameters) for proposal in proposals]

    def learnt_from(self) -> tuple[Trial, ...]:
        """Trials of every status, enough of them for a model."""
        trials = list(observed(self.space, run(self.strategy, self.space, [16], seed=2)))
        trials[3] = Trial(4, trials[3].configuration, TrialStatus.FAILED)
        trials[9] = Trial(10, trials[9].configuration)
        return tuple(trials)

    def test_every_proposal_lies_in_the_space_and_has_its_types(self) -> None:
        points = [*run(self.strategy, self.space, [6], seed=1), *self.after(self.learnt_from(), 3)]
        assert all(self.space.contains(point) for point in points)
        for item in self.space.ranges:
            kind = {IntegerRange: int, ContinuousRange: float}.get(type(item))
            assert all(kind is None or type(point[item.name]) is kind for point in points)

    @settings(
        suppress_health_check=[HealthCheck.differing_executors], deadline=None
    )  # each subclass runs it for its own
    @given(batches=st.lists(st.integers(1, 3), max_size=4), seed=st.integers(0, 2**53))
    def test_the_sequence_does_not_depend_on_how_it_is_asked_for(self, batches: list[int], seed: int) -> None:
        total = min(sum(batches), 6)
        together = run(self.strategy, self.space, [total], seed)
        one_by_one = run(self.strategy, self.space, [1] * total, seed)
        assert together == one_by_one

    def test_what_was_learnt_does_not_depend_on_how_it_is_asked_for(self) -> None:
        trials = self.learnt_from()
        together = self.after(trials, 3)
        one_by_one: list[Any] = []
        for _ in together:
            pending = [Trial(len(trials) + 1 + index, point) for index, point in enumerate(one_by_one)]
            one_by_one += self.after([*trials, *pending])
        assert together == one_by_one

    def test_the_same_seed_and_results_give_the_same_proposals(self) -> None:
        trials = self.learnt_from()
        assert self.after(trials, 2) == self.after(trials, 2)

    def test_the_order_in_which_trials_are_listed_does_not_matter(self) -> None:
        trials = list(self.learnt_from())
        expected = self.after(trials, 2)
        random.Random(3).shuffle(trials)
        assert self.after(trials, 2) == expected

    def test_the_history_is_left_as_it_was(self) -> None:
        trials = self.learnt_from()
        before = copy.deepcopy(trials)
        self.after(trials, 2)
        assert trials == before

    def test_a_finite_space_is_exhausted_without_a_repeat(self) -> None:
        points = run(self.strategy, CATEGORICAL, [4, 4], seed=0)
        assert len(points) == 6
        assert len({key(point) for point in points}) == 6

    def test_an_exhausted_space_gives_no_proposal(self) -> None:
        assert run(self.strategy, CATEGORICAL, [6, 1], seed=0) == run(self.strategy, CATEGORICAL, [6], seed=0)

    def test_a_finite_space_is_exhausted_without_a_repeat_while_results_come_in(self) -> None:
        points: list[Any] = []
        for _ in range(48):
            points += self.after(observed(COMBINATIONS, points), space=COMBINATIONS)
        assert len({key(point) for point in points}) == 48
        assert self.after(observed(COMBINATIONS, points), space=COMBINATIONS) == []

    def test_no_proposal_repeats_a_trial_of_any_status(self) -> None:
        trials = self.learnt_from()
        points = [key(trial.configuration) for trial in trials] + [key(point) for point in self.after(trials, 4)]
        assert len(set(points)) == 20

    def test_failed_trials_are_no_obstacle(self) -> None:
        trials = [
            Trial(trial.number, trial.configuration, TrialStatus.FAILED) if trial.number % 2 else trial
            for trial in self.learnt_from()
        ]
        (point,) = self.after(trials)
        assert self.space.contains(point)

    def test_when_all_trials_failed_another_one_is_proposed(self) -> None:
        trials = [replace(trial, status=TrialStatus.FAILED, value=None) for trial in self.learnt_from()]
        (point,) = self.after(trials)
        assert key(point) not in {key(trial.configuration) for trial in trials}

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308, -1e308])
    def test_a_value_that_no_model_can_bear_does_not_spoil_the_proposal(self, value: float) -> None:
        trials = list(self.learnt_from())
        trials[5] = replace(trials[5], value=value)
        (proposal,) = self.strategy.propose(history_of(self.space, trials), [17], seed=1)
        assert self.space.contains(proposal.hyperparameters)
        assert all(math.isfinite(figure) for figure in proposal.figures.values())

    def test_equal_values_everywhere_are_no_obstacle(self) -> None:
        trials = [replace(trial, value=1.0) for trial in self.learnt_from() if trial.status is TrialStatus.OBSERVED]
        proposals = self.strategy.propose(history_of(self.space, trials), [17], seed=1)
        assert all(math.isfinite(figure) for figure in proposals[0].figures.values())

    def test_a_long_history_is_no_obstacle(self) -> None:
        space = GRID_FOR_MANY if self.space.cardinality is not None else MIXED
        for count in self.many:
            (point,) = self.after(observed(space, drawn(space, count)), space=space)
            assert space.contains(point)

    def test_where_ranges_have_conditions_every_configuration_is_tried_once_while_results_come_in(self) -> None:
        points: list[Any] = []
        for _ in range(13):
            points += self.after(observed(CONDITIONAL, points), space=CONDITIONAL)
        assert all(CONDITIONAL.contains(point) for point in points)
        assert len({key(point) for point in points}) == 13
        assert self.after(observed(CONDITIONAL, points), space=CONDITIONAL) == []

    def test_another_process_makes_the_same_proposals(self) -> None:
        trials = self.learnt_from()
        history = history_of(self.space, trials)
        assert in_another_process(self.strategy, history, [17, 18]) == self.strategy.propose(history, [17, 18], 5)


class SeededContract:
    """What every strategy that draws must satisfy besides."""

    strategy: ClassVar[Strategy]

    def test_seed_zero_is_a_seed(self) -> None:
        assert run(self.strategy, MIXED, [8], 0) != run(self.strategy, MIXED, [8], 1)

    def test_scaling_is_honoured(self) -> None:
        points = run(self.strategy, LOGARITHMIC, [31], seed=4)
        assert sum(point["x"] < 1e-3 for point in points) >= 8
        assert sum(point["k"] < 1000 for point in points) >= 8
        assert sum(point["r"] > 0.9 for point in points) >= 12

    def test_untried_points_of_a_nearly_exhausted_space_are_found(self) -> None:
        space = SearchSpace((IntegerRange("k", 1, 1500),))
        trials = observed(space, [{"k": value} for value in range(1, 1500)])
        (proposal,) = self.strategy.propose(history_of(space, trials), [1500], seed=3)
        assert proposal.hyperparameters == {"k": 1500}


class LearningContract:
    """What every strategy that learns from results must satisfy besides."""

    strategy: ClassVar[Strategy]

    def proposals(self, trials: Sequence[Trial], objective: Objective = MAXIMIZE) -> list[Proposal]:
        """One proposal that follows these trials in the mixed space."""
        return self.strategy.propose(history_of(MIXED, trials, objective), [len(trials) + 1], seed=5)

    def test_minimising_the_negative_is_maximising(self) -> None:
        trials = observed(MIXED, drawn(MIXED, 20))
        negative = [replace(trial, value=-(trial.value or 0.0)) for trial in trials]
        expected, found = self.proposals(trials), self.proposals(negative, MINIMIZE)
        assert found[0].hyperparameters == expected[0].hyperparameters

    def test_results_matter(self) -> None:
        trials = observed(MIXED, drawn(MIXED, 20))
        other = [replace(trial, value=-(trial.value or 0.0)) for trial in trials]
        assert self.proposals(trials)[0].hyperparameters != self.proposals(other)[0].hyperparameters

    def test_figures_come_with_what_was_learnt(self) -> None:
        (proposal,) = self.proposals(observed(MIXED, drawn(MIXED, 20)))
        assert math.isfinite(proposal.figures["acquisition_value"])
        assert "20" in proposal.explanation


class PromotingContract:
    """What every strategy that continues paused trials must satisfy besides."""

    strategy: ClassVar[Strategy]

    def history(self, trials: Sequence[Trial]) -> History:
        """A history of trials that pause at levels."""
        return History(MIXED, MAXIMIZE, len(trials), tuple(trials), levels=LEVELS)

    def tuned(self, count: int, seed: int = 5) -> list[Trial]:
        """What a tuning job of three at a time knows: trials that paused, went on, failed and are pending."""
        rng = random.Random(seed)
        trials: list[Trial] = []
        while len(trials) < count:
            pending = [trial for trial in trials if trial.status is TrialStatus.PENDING]
            if len(pending) < 3:
                (made,) = self.strategy.propose(self.history(trials), [len(trials) + 1], seed)
                trials.append(pending_of(len(trials) + 1, made))
            else:
                over = rng.choice(pending)
                trials[over.number - 1] = self.over(over, failed=rng.random() < 0.1)
        return trials

    def over(self, trial: Trial, *, failed: bool) -> Trial:
        """A trial that ended: it failed, or paused at its level, which may be the highest."""
        if failed:
            return replace(trial, status=TrialStatus.FAILED)
        value = quality(MIXED, trial.configuration) - 1.0 / (trial.until_epoch or 0)
        return replace(trial, status=TrialStatus.OBSERVED, value=value, paused=True)

    def following(self, trials: Sequence[Trial], count: int = 2) -> list[Proposal]:
        """What follows these trials."""
        return self.strategy.propose(self.history(trials), range(len(trials) + 1, len(trials) + 1 + count), 5)

    def test_what_is_begun_and_what_goes_on_follow_from_the_trials_in_whatever_order_they_are_listed(self) -> None:
        trials = self.tuned(40)
        assert any(trial.continues for trial in trials)
        assert any(trial.until_epoch == LEVELS[-1] for trial in trials)
        expected = self.following(trials)
        for seed in range(3):
            assert self.following(random.Random(seed).sample(trials, len(trials))) == expected

    def test_what_goes_on_does_not_depend_on_how_it_is_asked_for(self) -> None:
        trials = self.tuned(30)
        together = self.following(trials, 4)
        for made in together:
            (alone,) = self.following(trials, 1)
            assert alone == made
            trials.append(pending_of(len(trials) + 1, made))

    def test_a_trial_that_paused_at_the_highest_level_is_whole(self) -> None:
        trials: list[Trial] = []
        for _ in range(12):
            for made in self.following(trials, 1):
                trials.append(self.over(pending_of(len(trials) + 1, made), failed=False))
            at_the_top = [replace(trial, until_epoch=LEVELS[-1]) for trial in trials]
            assert [made.continues for made in self.following(at_the_top)] == [0, 0]

    def test_another_process_continues_the_same(self) -> None:
        history = self.history(self.tuned(40))
        numbers = [len(history.trials) + 1, len(history.trials) + 2]
        assert in_another_process(self.strategy, history, numbers) == self.strategy.propose(history, numbers, 5)

    def test_a_long_history_with_levels_is_no_obstacle(self) -> None:
        begun = [replace(trial, until_epoch=1, paused=True) for trial in observed(MIXED, drawn(MIXED, 7_500))]
        went_on = [
            replace(trial, number=trial.number + len(begun), until_epoch=3, continues=trial.number)
            for trial in begun[:2_500]
        ]
        (made,) = self.following([*begun, *went_on], 1)
        assert MIXED.contains(made.hyperparameters)


def pending_of(number: int, proposal: Proposal) -> Trial:
    """The trial of a proposal that was launched."""
    return Trial(number, proposal.hyperparameters, continues=proposal.continues, until_epoch=proposal.until_epoch)
