from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, IntegerRange, SearchSpace, Value
from hrnn_tuner.domain.trial import Trial, TrialStatus
from scheduler_service.strategies.bayesian.encoding import Encoding
from scheduler_service.strategies.bayesian.recipe import Transform
from scheduler_service.strategies.bayesian.subset import informative
from scheduler_service.strategies.bayesian.transform import YeoJohnson, fitted
from scheduler_service.strategies.parzen_density import ParzenDensity, unit_points
from scheduler_service.strategies.results import Results
from tests.unit.scheduler.strategy_contract import MINIMIZE, MIXED, history_of, key

FINITE = st.floats(-1e100, 1e100, allow_nan=False)


@pytest.mark.parametrize("kind", Transform)
@settings(deadline=None, max_examples=50)
@given(values=st.lists(FINITE, min_size=1, max_size=30))
def test_a_transform_is_finite_and_keeps_the_order(kind: Transform, values: list[float]) -> None:
    ordered = np.sort(np.array(values))
    moved = fitted(kind, ordered).forward(ordered)
    assert np.isfinite(moved).all()
    assert (np.diff(moved) >= 0).all()


@pytest.mark.parametrize("kind", Transform)
@settings(deadline=None, max_examples=50)
@given(values=st.lists(st.floats(-1e3, 1e3).map(lambda value: round(value, 3)), min_size=3, max_size=30))
def test_the_inverse_leads_back(kind: Transform, values: list[float]) -> None:
    array = np.array(values)
    transform = fitted(kind, array)
    moved = transform.forward(array)
    again = transform.forward(transform.inverse(moved))
    assert again == pytest.approx(moved, rel=1e-5, abs=1e-5)


def test_skewed_losses_come_out_nearly_symmetric() -> None:
    losses = np.exp(np.random.default_rng(0).standard_normal(400) * 1.5)
    moved = YeoJohnson.fitted(-losses).forward(-losses)
    assert abs((moved**3).mean()) < 0.5
    assert moved.mean() == pytest.approx(0.0, abs=1e-9)
    assert moved.std() == pytest.approx(1.0)


def test_a_failed_trial_counts_as_the_worst_one_observed() -> None:
    trials = [
        Trial(1, {"x": 0.1}, TrialStatus.OBSERVED, 3.0),
        Trial(2, {"x": 0.2}, TrialStatus.FAILED),
        Trial(3, {"x": 0.3}, TrialStatus.OBSERVED, 8.0),
        Trial(4, {"x": 0.4}, TrialStatus.OBSERVED, float("nan")),
        Trial(5, {"x": 0.5}),
    ]
    space = SearchSpace((ContinuousRange("x", 0.0, 1.0),))
    results = Results.of(history_of(space, trials, MINIMIZE))
    assert results.values.tolist() == [-3.0, -8.0, -8.0, -8.0]
    assert results.failed.tolist() == [False, True, False, True]
    assert results.pending == ({"x": 0.5},)


@given(units=st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_encoded_configurations_lead_back_to_themselves(units: list[float]) -> None:
    encoding = Encoding(MIXED)
    points = encoding.at(np.array([units]))
    again = encoding.of(points.configurations)
    assert again.rows == pytest.approx(points.rows)
    assert {key(item) for item in encoding.at(again.units).configurations}
    assert encoding.at(again.units).configurations[0]["k"] == points.configurations[0]["k"]
    assert encoding.at(again.units).configurations[0]["c"] == points.configurations[0]["c"]


def test_different_choices_are_as_far_apart_as_the_ends_of_a_number() -> None:
    space = SearchSpace((CategoricalRange("c", ("a", "b", "d")), CategoricalRange("flag", (False, True))))
    rows = Encoding(space).of([{"c": "a", "flag": False}, {"c": "d", "flag": False}, {"c": "a", "flag": True}]).rows
    assert np.linalg.norm(rows[0] - rows[1]) == pytest.approx(1.0)
    assert np.linalg.norm(rows[0] - rows[2]) == pytest.approx(1.0)


def test_a_range_that_is_absent_has_no_choice_and_a_middle_place() -> None:
    encoding = Encoding(MIXED)
    assert encoding.of([{"k": 5}]).rows.tolist() == [[0.5, pytest.approx(0.5), 0.0, 0.0, 0.0]]


def test_the_informative_results_have_the_best_and_the_latest() -> None:
    rng = np.random.default_rng(1)
    rows, values = rng.random((100, 3)), rng.random(100)
    chosen = informative(rows, values, 40)
    assert len(set(chosen.tolist())) == 40
    assert set(np.argsort(-values)[:20]) <= set(chosen)
    assert 99 in chosen


def test_a_parzen_density_integrates_to_one() -> None:
    space = SearchSpace((ContinuousRange("x", 0.0, 1.0), CategoricalRange("c", ("a", "b"))))
    density = ParzenDensity(space, unit_points(space, [{"x": 0.02, "c": "a"}, {"x": 0.6, "c": "b"}, {"c": "a"}]))
    points: list[dict[str, Value]]
    points = [{"x": (index + 0.5) / 500, "c": choice} for index in range(500) for choice in "ab"]
    assert np.exp(density.log(unit_points(space, points))).mean() == pytest.approx(1.0, abs=1e-3)


def test_draws_of_a_parzen_density_are_near_its_configurations() -> None:
    space = SearchSpace((ContinuousRange("x", 0.0, 1.0), IntegerRange("k", 1, 9)))
    density = ParzenDensity(space, unit_points(space, [{"x": 0.9, "k": 2}] * 30))
    drawn_points = density.draw(500, np.random.default_rng(0))
    assert ((drawn_points >= 0) & (drawn_points <= 1)).all()
    assert np.median(np.abs(drawn_points[:, 0] - 0.9)) < 0.1
