"""What every strategy must satisfy, as test cases that its test class inherits."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, IntegerRange, Scaling, SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.trial import Trial, TrialStatus
from scheduler_service.strategies import History, Strategy

MAXIMIZE = Objective(ObjectiveType.MAXIMIZE, "score")
MINIMIZE = Objective(ObjectiveType.MINIMIZE, "loss")
CATEGORICAL = SearchSpace((CategoricalRange("c", ("a", "b", "d")), CategoricalRange("flag", (True, False))))
MIXED = SearchSpace((ContinuousRange("x", 1e-4, 1.0), IntegerRange("k", 1, 9), CategoricalRange("c", ("a", "b", "d"))))
LOGARITHMIC = SearchSpace(
    (ContinuousRange("x", 1e-6, 1.0, Scaling.LOGARITHMIC), IntegerRange("k", 1, 10**6, Scaling.LOGARITHMIC))
)
_MORE = (CategoricalRange("e", (1, 2, 3, 4)), CategoricalRange("f", (0.5, 0.7)))
COMBINATIONS = SearchSpace((*CATEGORICAL.ranges, *_MORE))
GRID_FOR_MANY = SearchSpace(tuple(CategoricalRange(f"c{axis}", tuple(range(6))) for axis in range(6)))  # 46,656 points

Outcome = tuple[TrialStatus, float | None]


def key(configuration: Any) -> tuple[tuple[str, Any], ...]:
    """A hashable form of a configuration."""
    return tuple(sorted(configuration.items()))


def quality(space: SearchSpace, configuration: Any) -> float:
    """A smooth objective that is largest, 0, at 0.3 of every range."""
    return -sum((item.unit(configuration[item.name]) - 0.3) ** 2 for item in space.ranges)


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


class StrategyContract:
    """What every strategy must satisfy.

    Attributes:
        strategy: The strategy.
        space: A space that it takes, of at least 20 points.
        many: How many trials of history it must bear.
    """

    strategy: ClassVar[Strategy]
    space: ClassVar[SearchSpace]
    many: ClassVar[int] = 10_000

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
        (point,) = self.after(observed(space, drawn(space, self.many)), space=space)
        assert space.contains(point)


class SeededContract:
    """What every strategy that draws must satisfy besides."""

    strategy: ClassVar[Strategy]

    def test_seed_zero_is_a_seed(self) -> None:
        assert run(self.strategy, MIXED, [8], 0) != run(self.strategy, MIXED, [8], 1)

    def test_scaling_is_honoured(self) -> None:
        points = run(self.strategy, LOGARITHMIC, [31], seed=4)
        assert sum(point["x"] < 1e-3 for point in points) >= 8
        assert sum(point["k"] < 1000 for point in points) >= 8

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
