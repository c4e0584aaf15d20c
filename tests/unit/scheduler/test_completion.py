"""Completion criteria, by numbers computed by hand."""

from __future__ import annotations

import json
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrnn_tuner.domain.completion import CompletionDetails
from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.store.codec import details_from_json, details_to_json
from scheduler_service.completion.convergence import has_converged, left_to_find
from scheduler_service.completion.criteria import reaches
from scheduler_service.completion.improvement import counted, is_improvement

MAXIMIZE = Objective(ObjectiveType.MAXIMIZE, "score")
MINIMIZE = Objective(ObjectiveType.MINIMIZE, "loss")


def not_improving(values: list[float], objective: Objective = MAXIMIZE) -> list[int]:
    """The counter after each value."""
    details, counts = CompletionDetails(), []
    for value in values:
        details = counted(details, objective, value, 0.01)
        counts.append(details.not_improving)
    return counts


@pytest.mark.parametrize(
    ("objective", "value", "than", "expected"),
    [
        (MAXIMIZE, 1.02, 1.0, True),
        (MAXIMIZE, 1.005, 1.0, False),
        (MAXIMIZE, 0.5, 1.0, False),
        (MAXIMIZE, -0.98, -1.0, True),  # relative to the absolute value
        (MAXIMIZE, -0.995, -1.0, False),
        (MAXIMIZE, -1.02, -1.0, False),
        (MAXIMIZE, 1e-9, 0.0, True),  # anything is more than a share of nothing
        (MAXIMIZE, 0.0, 0.0, False),
        (MINIMIZE, 0.98, 1.0, True),
        (MINIMIZE, 0.995, 1.0, False),
        (MINIMIZE, -1.02, -1.0, True),
        (MINIMIZE, -1e-9, 0.0, True),
    ],
)
def test_an_improvement_is_relative_to_the_absolute_value(
    objective: Objective, value: float, than: float, expected: bool
) -> None:
    assert is_improvement(objective, value, than, 0.01) is expected


def test_training_jobs_without_an_improvement_are_counted_in_a_row() -> None:
    assert not_improving([0.5, 0.4, 0.5, 0.6, 0.55, 0.601]) == [0, 1, 2, 0, 1, 2]
    assert not_improving([0.5, 0.6, 0.4], MINIMIZE) == [0, 1, 0]


def test_small_steps_add_up_to_an_improvement() -> None:
    assert not_improving([1.0, 1.004, 1.008, 1.012]) == [0, 1, 2, 0]


@settings(deadline=None)  # the rule is quick, a busy machine is not
@given(values=st.lists(st.floats(0.5, 1.0), min_size=1, max_size=30))
def test_the_counter_is_the_distance_to_the_last_improvement(values: list[float]) -> None:
    counts = not_improving(values)
    assert counts[0] == 0
    assert all(after in {0, before + 1} for before, after in pairwise(counts))


@settings(deadline=None)
@given(values=st.lists(st.floats(-1.0, 1.0), max_size=12), objective=st.sampled_from([MAXIMIZE, MINIMIZE]))
def test_the_best_values_are_those_of_all_training_jobs(values: list[float], objective: Objective) -> None:
    details = CompletionDetails()
    for value in values:
        details = counted(details, objective, value, 0.01)
    assert list(details.best_values) == sorted(values, reverse=objective is MAXIMIZE)[:5]
    assert details_from_json(json.loads(json.dumps(details_to_json(details)))) == details


def test_the_target_itself_is_enough() -> None:
    assert reaches(MAXIMIZE, 0.5, 0.5)
    assert not reaches(MAXIMIZE, 0.49, 0.5)
    assert reaches(MINIMIZE, 0.5, 0.5)
    assert not reaches(MINIMIZE, 0.51, 0.5)


def test_the_bound_of_two_dimensions_by_hand() -> None:
    # 1 - 0.1^(1/4) = 0.43766; to the power 2/2; 0.1 * 0.43766 / 0.56234 = 0.077828
    assert left_to_find([1.0, 0.99, 0.95, 0.91, 0.9], 2) == pytest.approx(0.077828, abs=1e-6)


@pytest.mark.parametrize("dimensions", [1, 2, 5, 12])
def test_the_bound_holds_for_nine_of_ten_random_searches(dimensions: int) -> None:
    rng = random.Random(dimensions)
    held = 0
    for _ in range(4000):
        # The distance from a quadratic optimum of a uniform draw in a ball is U^(2/d).
        values = sorted(1.0 - rng.random() ** (2 / dimensions) for _ in range(50))[::-1]
        held += 1.0 - values[0] <= left_to_find(values[:5], dimensions)
    assert held / 4000 == pytest.approx(0.9, abs=0.02)


def test_a_search_converges_when_its_best_values_lie_close_together_and_nothing_new_comes() -> None:
    close, apart = [1.0, 0.9995, 0.999, 0.998, 0.998], [1.0, 0.95, 0.9, 0.9, 0.9]
    assert has_converged(10, close, 2, 0.01)
    assert not has_converged(9, close, 2, 0.01)
    assert not has_converged(10, apart, 2, 0.01)
    assert not has_converged(10, close[:4], 2, 0.01)


def test_equal_values_have_converged_also_at_zero() -> None:
    assert has_converged(10, [0.0] * 5, 3, 0.01)
    assert not has_converged(10, [0.0, 0.0, 0.0, 0.0, -0.1], 3, 0.01)
