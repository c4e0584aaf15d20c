from __future__ import annotations

import random

import numpy as np
import pytest

from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, Scaling, SearchSpace
from scheduler_service.strategies import RandomStrategy
from tests.benchmarks.search.functions.catalogue import function
from tests.benchmarks.search.functions.contract import BenchFunction, Configuration, Half
from tests.benchmarks.search.ours import StrategySearcher
from tests.benchmarks.search.searcher import Cost, Searcher
from tests.benchmarks.search.simulation import duration_of, simulate


class Watched(Searcher):
    """Draws at random and notes what is asked and told."""

    def __init__(self, searched: BenchFunction) -> None:
        self._space = searched.space
        self.events: list[tuple[str, int]] = []
        self.most_in_flight = self._in_flight = 0

    def ask(self, number: int) -> tuple[Configuration | None, Cost]:
        self.events.append(("ask", number))
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        rng = random.Random(number)
        return self._space.at([rng.random() for _ in self._space.ranges]), Cost(1.0, 2.0)

    def tell(self, number: int, value: float) -> Cost:
        self.events.append(("tell", number))
        self._in_flight -= 1
        return Cost(0.25, 0.5)

    def add(self, number: int, configuration: Configuration, value: float) -> None:
        raise AssertionError("a simulation asks for everything")


@pytest.mark.parametrize("in_flight", [1, 3, 4])
def test_never_more_training_jobs_run_than_allowed_and_all_are_told(in_flight: int) -> None:
    searched = function("bbob-f8-d5")
    watched = Watched(searched)
    trace = simulate(watched, searched, in_flight, trials=30, seed=5)
    assert watched.most_in_flight == in_flight
    assert watched.events[:in_flight] == [("ask", number) for number in range(1, in_flight + 1)]
    assert [number for event, number in watched.events if event == "ask"] == list(range(1, 31))
    assert sorted(number for event, number in watched.events if event == "tell") == list(range(1, 31))
    assert len(trace.best) == len(trace.cpu_s) == 30


def test_training_jobs_end_in_the_order_that_their_seeded_durations_give() -> None:
    searched = function("bbob-f8-d5")
    watched = Watched(searched)
    simulate(watched, searched, in_flight=8, trials=8, seed=5)
    told = [number for event, number in watched.events if event == "tell"]
    assert told == sorted(range(1, 9), key=lambda number: duration_of(5, number))
    assert told != list(range(1, 9))


def test_taking_a_result_counts_with_the_proposal_after_it() -> None:
    searched = function("bbob-f8-d5")
    trace = simulate(Watched(searched), searched, in_flight=2, trials=4, seed=5)
    assert trace.cpu_s.tolist() == [1.0, 1.0, 1.25, 1.25]
    assert trace.wall_s.tolist() == [2.0, 2.0, 2.5, 2.5]


def test_the_best_is_chosen_by_what_was_reported_and_judged_without_noise() -> None:
    noisy = BenchFunction(
        name="two",
        family="test",
        half=Half.CHOICE,
        space=SearchSpace((ContinuousRange("x", 0.0, 1.0, scaling=Scaling.LINEAR),)),
        loss=lambda configuration: float(configuration["x"]),
        noise=10.0,
    )
    trace = simulate(Watched(noisy), noisy, in_flight=1, trials=50, seed=5)
    assert ((trace.best >= 0.0) & (trace.best <= 1.0)).all()
    assert (np.diff(trace.best) > 0).any()  # with so much noise, a lower report can be a worse configuration


def test_an_exhausted_space_ends_the_search_and_keeps_its_best() -> None:
    letters = SearchSpace((CategoricalRange("letter", ("a", "b", "c")),))
    small = BenchFunction("small", "test", Half.CHOICE, letters, lambda found: float(ord(str(found["letter"]))))
    trace = simulate(StrategySearcher(RandomStrategy(), letters, 1), small, in_flight=4, trials=10, seed=5)
    assert len(trace.cpu_s) == 3
    assert trace.best[2:].tolist() == [ord("a")] * 8


def test_a_strategy_of_this_project_repeats_itself_with_its_seed_only() -> None:
    searched = function("conditional-layers-1")

    def course(seed: int) -> list[float]:
        searcher = StrategySearcher(RandomStrategy(), searched.space, seed)
        return [float(value) for value in simulate(searcher, searched, in_flight=4, trials=20, seed=5).best]

    assert course(1) == course(1)
    assert course(1) != course(2)
