from __future__ import annotations

import random

import pytest

from hrnn_tuner.domain.search_space import CategoricalRange
from tests.benchmarks.search.functions.bbob import bbob
from tests.benchmarks.search.functions.boxes import cut_around, cut_one_end
from tests.benchmarks.search.functions.catalogue import function, of_half, portfolio
from tests.benchmarks.search.functions.contract import BenchFunction, Configuration, Half

#: One of each family, and those that were made differently.
NAMES = (
    "bbob-f8-d5",
    "bbob-noisy-f21-d5",
    "bbob-mixint-f20-d10",
    "sklearn-svm-wine",
    "sklearn-linear-diabetes",
    "log-cliff-1",
    "conditional-optimizer-2",
    "conditional-layers-1",
    "categorical-pairs",
)
KNOWN = tuple(name for name in portfolio() if not name.startswith(("bbob-mixint", "sklearn")))


def _drawn(searched: BenchFunction, count: int) -> list[Configuration]:
    """Random configurations."""
    rng = random.Random(searched.name)
    return [searched.space.at([rng.random() for _ in searched.space.ranges]) for _ in range(count)]


@pytest.mark.parametrize("name", NAMES)
def test_a_function_has_the_same_value_for_the_same_configuration_and_seed(name: str) -> None:
    function.cache_clear()
    first = [function(name).evaluate(configuration, seed=7) for configuration in _drawn(function(name), 5)]
    function.cache_clear()
    assert [function(name).evaluate(configuration, seed=7) for configuration in _drawn(function(name), 5)] == first
    assert len(set(first)) > 1


@pytest.mark.parametrize("name", KNOWN)
def test_nothing_is_below_the_optimum_and_the_best_configuration_has_it(name: str) -> None:
    searched = function(name)
    assert searched.optimum is not None
    assert searched.best is not None
    assert searched.space.contains(searched.best)
    assert searched.loss(searched.best) == pytest.approx(searched.optimum, abs=1e-6)
    assert min(map(searched.loss, _drawn(searched, 200))) > searched.optimum or searched.space.cardinality is not None


@pytest.mark.parametrize("name", KNOWN)
def test_no_optimum_lies_at_the_centre_of_a_box(name: str) -> None:
    searched = function(name)
    assert searched.best is not None
    places = searched.space.units(searched.best)
    for item, place in zip(searched.space.ranges, places, strict=True):
        # Choices have no order, hence no centre; of three grid points the one in the middle is often the best.
        if place is not None and not isinstance(item, CategoricalRange) and searched.family != "hrnn":
            assert abs(place - 0.5) > 0.05, item.name


def test_noise_differs_between_seeds_around_the_same_loss() -> None:
    noisy, plain = function("bbob-noisy-f8-d5"), bbob(8, 5)
    (configuration,) = _drawn(noisy, 1)
    values = [noisy.evaluate(configuration, seed) for seed in range(400)]
    assert noisy.loss(configuration) == plain.loss(configuration)
    assert sum(values) / len(values) == pytest.approx(plain.loss(configuration), abs=4 * noisy.noise / 20)
    assert len(set(values)) == len(values)


def test_every_function_belongs_to_one_half_and_both_halves_have_every_kind_of_function() -> None:
    names = portfolio()
    halves = {half: of_half(names, half) for half in Half}
    assert sorted((*halves[Half.CHOICE], *halves[Half.REPORT])) == sorted(names)
    families = [{function(name).family for name in own} - {"hrnn"} for own in halves.values()]
    assert families[0] == families[1]
    assert abs(len(halves[Half.CHOICE]) - len(halves[Half.REPORT])) <= 2


def test_both_halves_have_as_many_hyperparameters_on_the_mixed_functions() -> None:
    mixed = tuple(name for name in portfolio() if name.startswith("bbob-mixint"))
    counts = [sorted(len(function(name).space.ranges) for name in of_half(mixed, half)) for half in Half]
    assert counts[0] == counts[1]


def test_a_function_is_in_the_same_half_in_every_dimension() -> None:
    assert {function(f"bbob-f7-d{dimension}").half for dimension in (2, 5, 10)} == {Half.CHOICE}


@pytest.mark.parametrize("optimum", [-5.0, -4.9, -1.0, 0.0, 3.3, 5.0])
def test_a_cut_box_stays_inside_and_keeps_the_optimum_off_its_centre(optimum: float) -> None:
    for seed in range(50):
        low, high = cut_around(-5.0, 5.0, optimum, random.Random(seed))
        assert -5.0 <= low <= optimum <= high <= 5.0
        assert abs((optimum - low) / (high - low) - 0.5) > 0.05


def test_one_end_is_cut_by_a_third_at_most() -> None:
    for seed in range(50):
        low, high = cut_one_end(0.0, 1.0, random.Random(seed))
        assert (low == 0.0) != (high == 1.0)
        assert 0.65 < high - low < 0.91
