"""Sobol search, and the sequence that it follows."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, IntegerRange, Scaling, SearchSpace
from scheduler_service.strategies import History, Reads, SobolStrategy
from scheduler_service.strategies.sobol_sequence import MAX_DIMENSIONS, sobol_integer, sobol_point
from tests.support.proposing import OBJECTIVE, propose

SOBOL = SobolStrategy()
SQUARE = SearchSpace((ContinuousRange("x", 0.0, 1.0), ContinuousRange("y", 0.0, 1.0)))
SEEDS = st.integers(0, 2**53)


def test_the_unscrambled_sequence_is_that_of_joe_and_kuo() -> None:
    ours = [[sobol_integer(index, dimension) / 2**32 for dimension in range(MAX_DIMENSIONS)] for index in range(256)]
    theirs = qmc.Sobol(MAX_DIMENSIONS, scramble=False, bits=32).random(256)
    assert ours == theirs.tolist()


@given(seed=SEEDS, dimension=st.integers(0, MAX_DIMENSIONS - 1), power=st.integers(0, 7), block=st.integers(0, 20))
def test_every_aligned_block_has_one_point_in_each_equal_interval(
    seed: int, dimension: int, power: int, block: int
) -> None:
    size = 2**power
    points = [sobol_point(block * size + index, dimension + 1, seed)[dimension] for index in range(size)]
    assert sorted(int(point * size) for point in points) == list(range(size))


@given(seed=SEEDS)
def test_every_box_of_two_dimensions_with_a_share_of_one_point_holds_one(seed: int) -> None:
    points = [sobol_point(index, 2, seed) for index in range(16)]
    for across in range(5):  # the first two dimensions of the sequence are a (0, 4, 2)-net
        wide, high = 2**across, 2 ** (4 - across)
        assert len({(int(x * wide), int(y * high)) for x, y in points}) == 16


def test_points_are_uniform_over_seeds() -> None:
    points = [sobol_point(5, 3, seed) for seed in range(4000)]
    for dimension in range(3):
        tenths = [int(point[dimension] * 10) for point in points]
        assert all(320 <= tenths.count(tenth) <= 480 for tenth in range(10))


def test_coordinates_are_scrambled_independently() -> None:
    pairs = [sobol_point(0, 2, seed) for seed in range(2000)]
    assert abs(sum((x - 0.5) * (y - 0.5) for x, y in pairs) / len(pairs)) < 0.01


@pytest.mark.parametrize(("index", "dimensions"), [(-1, 1), (2**32, 1), (0, 0), (0, MAX_DIMENSIONS + 1)])
def test_a_point_that_the_sequence_does_not_have_is_an_error(index: int, dimensions: int) -> None:
    with pytest.raises(ValueError, match="no point"):
        sobol_point(index, dimensions, 0)


def test_points_are_the_same_on_every_machine() -> None:
    assert sobol_point(0, 2, 42) == (0.17561473709065467, 0.7443375381408259)
    assert sobol_point(9999, 30, 42)[29] == 0.5071374865947291


def test_the_nth_training_job_gets_the_nth_point() -> None:
    (proposal,) = SOBOL.propose(History(SQUARE, OBJECTIVE, launched=6), [7], seed=3)
    x, y = sobol_point(6, 2, 3)
    assert proposal.hyperparameters == {"x": pytest.approx(x), "y": pytest.approx(y)}
    assert (proposal.strategy, proposal.seed) == ("SOBOL", 3)


def test_the_position_is_how_many_were_launched_whatever_their_numbers() -> None:
    history = History(SQUARE, OBJECTIVE, launched=2)
    (one,), (other,) = SOBOL.propose(history, [3], seed=1), SOBOL.propose(history, [30], seed=1)
    assert one.hyperparameters == other.hyperparameters


def test_seed_zero_is_a_seed() -> None:
    assert propose(SOBOL, SQUARE, [3], seed=0) != propose(SOBOL, SQUARE, [3], seed=1)


def test_nothing_is_read_of_a_space_that_never_repeats() -> None:
    assert SOBOL.reads(SQUARE) is Reads.NOTHING
    assert SOBOL.reads(SearchSpace((IntegerRange("k", 1, 9),))) is Reads.CONFIGURATIONS


def test_it_covers_a_space_more_evenly_than_random_draws() -> None:
    for seed in range(5):
        points = [[point["x"], point["y"]] for point in propose(SOBOL, SQUARE, [64], seed=seed)]
        rng = random.Random(seed)
        drawn = [[rng.random(), rng.random()] for _ in range(64)]
        assert qmc.discrepancy(points) < qmc.discrepancy(drawn) / 5


@pytest.mark.parametrize(
    "space",
    [
        SearchSpace((IntegerRange("k", 1, 200, Scaling.LOGARITHMIC),)),  # the last ones have small shares
        SearchSpace((CategoricalRange("c", ("a", "b", "d")), IntegerRange("k", 1, 5), CategoricalRange("e", (1, 2)))),
    ],
)
def test_a_finite_space_is_exhausted_without_a_repeat(space: SearchSpace) -> None:
    total = space.cardinality
    assert total is not None
    points = propose(SOBOL, space, [7] * (total // 7 + 2), seed=5)
    assert len(points) == len({space.key(point) for point in points}) == total


@given(batches=st.lists(st.integers(1, 5), max_size=6), seed=SEEDS)
def test_the_sequence_does_not_depend_on_how_it_is_asked_for(batches: list[int], seed: int) -> None:
    space = SearchSpace((CategoricalRange("c", ("a", "b", "d")), IntegerRange("k", 1, 5)))
    total = sum(batches)
    assert propose(SOBOL, space, batches, seed=seed) == propose(SOBOL, space, [1] * total, seed=seed)
