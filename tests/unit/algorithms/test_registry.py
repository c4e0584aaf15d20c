"""How algorithms are found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hrnn_tuner.algorithms import AlgorithmRegistry, load_algorithms
from hrnn_tuner.algorithms.hrnn import ALGORITHM as HRNN
from hrnn_tuner.domain.search_space import CategoricalRange
from tests.support.synthetic_algorithm import ALGORITHM as SYNTHETIC

RECIPES = ("hrnn", "hrnn-coldstart", "hrnn-metadata", "popularity-count")


def test_the_installed_recipes_are_found_by_name_in_a_fixed_order() -> None:
    found = load_algorithms(["tests.support.synthetic_algorithm:ALGORITHM"])
    assert list(found) == [*RECIPES, "synthetic"]
    assert len(found) == 5


@pytest.mark.parametrize("name", RECIPES)
def test_the_names_of_amazon_personalize_find_the_recipe(name: str) -> None:
    found = load_algorithms()
    recipe = f"aws-{name}"
    arns = [f"arn:aws:personalize:::{kind}/{recipe}" for kind in ("recipe", "algorithm")]
    for alias in (recipe, *arns):
        assert found[alias] is found[name]
        assert alias in found
        assert alias not in list(found)


def test_an_unknown_name_is_a_key_error_and_get_gives_nothing() -> None:
    found = load_algorithms()
    assert found.get("aws-sims") is None
    assert "aws-sims" not in found
    with pytest.raises(KeyError):
        found["arn:aws:personalize:::recipe/hrnn"]


def test_a_name_wins_over_an_alias_and_the_later_of_two_over_the_earlier() -> None:
    claimed = replace(SYNTHETIC, aliases=("hrnn", "aws-hrnn"))
    found = AlgorithmRegistry([HRNN, claimed])
    assert found["hrnn"] is HRNN
    assert found["aws-hrnn"] is claimed


@pytest.mark.parametrize("name", RECIPES)
def test_every_default_lies_within_its_limits_and_every_name_is_unique(name: str) -> None:
    algorithm = load_algorithms()[name]
    for hyperparameter in algorithm.hyperparameters:
        assert hyperparameter.violation(hyperparameter.default) is None
    for parts in (algorithm.hyperparameters, algorithm.metrics, algorithm.channels):
        names = [part.name for part in parts]
        assert len(names) == len(set(names))


def test_the_recipes_with_metadata_have_the_hyperparameters_of_hrnn() -> None:
    found = load_algorithms()
    assert found["hrnn-metadata"].hyperparameters == HRNN.hyperparameters
    further = set(found["hrnn-coldstart"].defaults().items()) ^ set(HRNN.defaults().items())
    assert further == {
        ("hidden_dimension", 43),
        ("hidden_dimension", 149),
        ("cold_start_max_interactions", 15),
        ("cold_start_max_duration", 5.0),
        ("cold_start_relative_from", "latestItem"),
    }
    for name in ("cold_start_max_interactions", "cold_start_max_duration", "cold_start_relative_from"):
        declared = found["hrnn-coldstart"].hyperparameter(name)
        assert declared is not None
        assert not declared.tunable


@pytest.mark.parametrize("name", RECIPES)
def test_every_default_range_lies_within_the_limits_and_the_recommended_range(name: str) -> None:
    algorithm = load_algorithms()[name]
    assert algorithm.default_ranges()
    for hyperparameter in algorithm.hyperparameters:
        found = hyperparameter.default_range
        if found is None:
            continue
        assert hyperparameter.tunable
        ends = found.choices if isinstance(found, CategoricalRange) else (found.minimum, found.maximum)
        assert all(hyperparameter.violation(value) is None for value in ends)
        if hyperparameter.recommended is not None:
            assert ends == hyperparameter.recommended
        for unit in (0.0, 0.3, 0.999):
            assert found.contains(found.at(unit))


@pytest.mark.parametrize("name", ["hrnn", "hrnn-metadata", "hrnn-coldstart"])
def test_what_personalize_tunes_is_tuned_by_default(name: str) -> None:
    names = {item.name for item in load_algorithms()[name].default_ranges()}
    assert names >= {"hidden_dimension", "bptt", "recency_mask"}
