from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api_service.explaining.encoding import Encoding
from api_service.explaining.insight import MIN_RESULTS, Insight, insight_of
from api_service.explaining.surrogate import Surrogate
from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import CategoricalRange, Condition, ContinuousRange, IntegerRange, SearchSpace
from hrnn_tuner.domain.trial import Trial, TrialStatus
from tests.support.search_spaces import spaces

MAXIMIZE = Objective(ObjectiveType.MAXIMIZE, "score")
MINIMIZE = Objective(ObjectiveType.MINIMIZE, "loss")
SPACE = SearchSpace(
    (ContinuousRange("x", 0.0, 1.0), ContinuousRange("y", 0.0, 1.0), CategoricalRange("c", ("a", "b", "d")))
)
CONDITIONAL = SearchSpace(
    (
        ContinuousRange("rate", 0.0, 1.0, condition=Condition("kind", ("fast",))),
        CategoricalRange("kind", ("slow", "fast")),
        IntegerRange("depth", 1, 4, condition=Condition("kind", ("slow",))),
    )
)

Function = Callable[[Mapping[str, Any]], float]


def trials_of(function: Function, count: int, space: SearchSpace = SPACE, seed: int = 1) -> list[Trial]:
    """Trials at random places."""
    rng = random.Random(seed)
    points = [space.at([rng.random() for _ in space.ranges]) for _ in range(count)]
    return [Trial(number, point, TrialStatus.OBSERVED, function(point)) for number, point in enumerate(points, start=1)]


def main_effects(insight: Insight) -> dict[str, float]:
    return {entry.name: entry.main for entry in insight.importances}


def total_effects(insight: Insight) -> dict[str, float]:
    return {entry.name: entry.total for entry in insight.importances}


def test_importance_is_the_share_of_the_variance_of_an_additive_function() -> None:
    def function(point: Mapping[str, Any]) -> float:
        value: float = 2.0 * point["x"] + point["y"] + (point["c"] == "b")
        return value

    # Variances: 4/12 of x, 1/12 of y and 2/9 of c, which is b once in three times.
    total = 4 / 12 + 1 / 12 + 2 / 9
    found = main_effects(insight_of(SPACE, MAXIMIZE, trials_of(function, 80)))
    assert list(found) == ["x", "c", "y"]
    assert found == pytest.approx({"x": 4 / 12 / total, "c": 2 / 9 / total, "y": 1 / 12 / total}, abs=0.05)


@pytest.mark.parametrize("objective", [MAXIMIZE, MINIMIZE])
def test_what_does_not_matter_has_no_importance(objective: Objective) -> None:
    found = total_effects(insight_of(SPACE, objective, trials_of(lambda point: (point["y"] - 0.3) ** 2, 40)))
    assert found["y"] > 0.95
    assert max(found["x"], found["c"]) < 0.05


def test_interplay_counts_for_the_total_effect_only() -> None:
    insight = insight_of(SPACE, MAXIMIZE, trials_of(lambda point: (point["x"] - 0.5) * (point["y"] - 0.5), 80))
    main, total = main_effects(insight), total_effects(insight)
    assert max(main["x"], main["y"]) < 0.1
    assert min(total["x"], total["y"]) > 0.8


def test_few_of_many_ranges_that_matter_are_found() -> None:
    space = SearchSpace(tuple(ContinuousRange(f"x{index}", 0.0, 1.0) for index in range(20)))
    insight = insight_of(space, MINIMIZE, trials_of(lambda point: 3 * point["x7"] ** 2 + point["x3"], 60, space))
    assert [entry.name for entry in insight.importances[:2]] == ["x7", "x3"]
    assert sum(entry.total for entry in insight.importances[2:]) < 0.05


@pytest.mark.parametrize(("objective", "sign"), [(MAXIMIZE, -1.0), (MINIMIZE, 1.0)])
def test_the_predicted_best_is_where_the_objective_is_best(objective: Objective, sign: float) -> None:
    def function(point: Mapping[str, Any]) -> float:
        value: float = sign * ((point["x"] - 0.3) ** 2 + (point["y"] - 0.6) ** 2 + 0.5 * (point["c"] != "b"))
        return value

    best = insight_of(SPACE, objective, trials_of(function, 60)).best
    assert best is not None
    assert best.configuration["c"] == "b"
    assert best.configuration["x"] == pytest.approx(0.3, abs=0.05)
    assert best.configuration["y"] == pytest.approx(0.6, abs=0.05)
    assert best.mean == pytest.approx(0.0, abs=0.02)
    assert 0.0 <= best.deviation < 0.1


def test_a_predicted_best_that_was_tried_names_its_training_job() -> None:
    space = SearchSpace((IntegerRange("k", 1, 12),))
    trials = [
        Trial(number, {"k": number}, TrialStatus.OBSERVED, -abs(number - 5.0)) for number in range(1, 13) if number != 9
    ]
    best = insight_of(space, MAXIMIZE, trials).best
    assert best is not None
    assert (best.configuration, best.number) == ({"k": 5}, 5)


def test_the_deviation_is_larger_where_nothing_was_tried() -> None:
    rows = np.linspace(0.0, 0.5, 12)[:, None]
    targets = np.sin(6.0 * rows[:, 0])
    model = Surrogate(rows, np.zeros(1, dtype=np.intp), (targets - targets.mean()) / targets.std())
    near, far = model.deviation(np.array([[0.25], [1.0]])).tolist()
    assert far > 5 * near


def test_most_predictions_for_unseen_places_lie_within_two_deviations_and_the_noise() -> None:
    rng = random.Random(3)
    trials = trials_of(lambda point: math.sin(5 * point["x"]) + rng.gauss(0.0, 0.1), 50)
    values = np.array([trial.value for trial in trials], dtype=np.float64)
    encoding = Encoding(SPACE)
    rows = encoding.rows(encoding.units([trial.configuration for trial in trials]))
    model = Surrogate(rows, encoding.axes, (values - values.mean()) / values.std())
    places = encoding.units([SPACE.at([rng.random() for _ in SPACE.ranges]) for _ in range(200)])
    truth = (np.sin(5 * places[:, 0]) - values.mean()) / values.std()
    misses = np.abs(model.mean(encoding.rows(places)) - truth) > 2 * model.deviation(encoding.rows(places))
    assert misses.mean() < 0.15


@pytest.mark.parametrize("observed", range(MIN_RESULTS))
def test_too_few_results_give_a_statement_instead_of_numbers(observed: int) -> None:
    trials = [
        *trials_of(lambda point: point["x"], observed),
        Trial(8, {"x": 0.1, "y": 0.2, "c": "a"}),
        Trial(9, {"x": 0.3, "y": 0.2, "c": "a"}, TrialStatus.FAILED),
    ]
    insight = insight_of(SPACE, MAXIMIZE, trials)
    assert (insight.observed, insight.failed, insight.pending) == (observed, 1, 1)
    assert (insight.importances, insight.best, insight.explained_variance) == ((), None, None)
    assert insight.note == f"at least 5 training jobs with an objective value are needed; there are {observed}"


def test_nothing_but_noise_is_said_to_be_no_knowledge() -> None:
    rng = random.Random(5)
    insight = insight_of(SPACE, MAXIMIZE, trials_of(lambda _: rng.gauss(0.0, 1.0), 60))
    assert insight.explained_variance is not None
    assert insight.explained_variance < 0.25


def test_equal_results_are_said_to_teach_nothing() -> None:
    insight = insight_of(SPACE, MAXIMIZE, trials_of(lambda _: 0.25, 20))
    assert insight.importances == ()
    assert "all results are the same" in insight.note


def test_without_ranges_there_is_nothing_to_learn() -> None:
    trials = [Trial(number, {}, TrialStatus.OBSERVED, number / 10) for number in range(1, 9)]
    assert insight_of(SearchSpace(()), MAXIMIZE, trials).note == "no hyperparameter is tuned"


def test_failures_keep_the_predicted_best_away_from_them() -> None:
    trials = [
        Trial(trial.number, trial.configuration, TrialStatus.FAILED) if float(trial.configuration["x"]) > 0.7 else trial
        for trial in trials_of(lambda point: point["x"], 60)
    ]
    insight = insight_of(SPACE, MAXIMIZE, trials)
    assert insight.failed > 5
    assert insight.best is not None
    assert 0.4 < float(insight.best.configuration["x"]) < 0.75
    assert insight.importances[0].name == "x"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308, -1e308, 1e9])
def test_one_value_that_no_model_can_bear_does_not_hide_the_others(value: float) -> None:
    trials = trials_of(lambda point: 2.0 * point["x"], 40)
    trials[7] = Trial(8, trials[7].configuration, TrialStatus.OBSERVED, value)
    insight = insight_of(SPACE, MINIMIZE, trials)
    assert insight.best is not None
    assert all(math.isfinite(figure) for figure in (insight.best.mean, insight.best.deviation))
    if value != -1e308:  # that one really is the best of all
        assert insight.importances[0].name == "x"


def test_a_range_with_a_condition_counts_where_it_applies() -> None:
    def function(point: Mapping[str, Any]) -> float:
        return 1.0 + point["rate"] if point["kind"] == "fast" else 0.0

    insight = insight_of(CONDITIONAL, MAXIMIZE, trials_of(function, 60, CONDITIONAL))
    found = total_effects(insight)
    assert found["kind"] > found["rate"] > 0.03
    assert found["depth"] < 0.02
    assert insight.best is not None
    assert set(insight.best.configuration) == {"kind", "rate"}
    rate = insight.best.configuration["rate"]
    assert isinstance(rate, float)
    assert rate > 0.9


@settings(deadline=None, max_examples=25)
@given(space=spaces(), seed=st.integers(0, 1000), count=st.integers(0, 12))
def test_every_space_can_be_explained(space: SearchSpace, seed: int, count: int) -> None:
    rng = random.Random(seed)
    insight = insight_of(space, MAXIMIZE, trials_of(lambda _: rng.random(), count, space, seed))
    if insight.best is not None:
        assert space.contains(insight.best.configuration)
        assert math.isfinite(insight.best.mean)
    assert all(0.0 <= entry.main <= entry.total <= 1.0 for entry in insight.importances)
    assert len(insight.importances) in {0, len(space.ranges)}
    assert bool(insight.importances) or insight.note


def test_ten_thousand_results_are_no_obstacle() -> None:
    insight = insight_of(SPACE, MAXIMIZE, trials_of(lambda point: point["x"], 10_000))
    assert insight.observed == 10_000
    assert insight.importances[0].name == "x"
    assert insight.importances[0].main > 0.9


def paused_trials(final: Function, count: int) -> list[Trial]:
    """A third of the configurations go on from epoch 1 to 3, and a third of these to 9; values grow with epochs."""
    begun = [replace(trial, until_epoch=1, paused=True) for trial in trials_of(lambda p: final(p) - 1.0, count)]
    trials = list(begun)
    waiting = begun
    for until, loss in ((3, 0.3), (9, 0.0)):
        best = sorted(waiting, key=lambda trial: -(trial.value or 0.0))[: len(waiting) // 3]
        waiting = [
            replace(
                trial,
                number=len(trials) + place,
                value=final(trial.configuration) - loss,
                continues=trial.number,
                until_epoch=until,
            )
            for place, trial in enumerate(best, start=1)
        ]
        trials += waiting
    return trials


def test_of_trainings_that_pause_the_whole_ones_are_learnt_from() -> None:
    def final(point: Mapping[str, Any]) -> float:
        value: float = 1.0 - (point["x"] - 0.7) ** 2
        return value

    trials = paused_trials(final, 90)
    best = insight_of(SPACE, MAXIMIZE, trials, levels=(1, 3, 9)).best
    assert best is not None
    assert best.mean == pytest.approx(1.0, abs=0.02)
    insight = insight_of(SPACE, MAXIMIZE, trials, levels=(1, 3, 9))
    assert insight.observed == len(trials) == 130
    assert insight.note.endswith("hyperparameters of which the training paused are left out (80)")


def test_before_enough_trainings_are_whole_the_last_value_of_each_counts_and_that_is_said() -> None:
    trials = paused_trials(lambda point: point["x"], 18)
    insight = insight_of(SPACE, MAXIMIZE, trials, levels=(1, 3, 9))
    assert insight.best is not None
    assert "most values are of trainings that paused (16)" in insight.note
    few = paused_trials(lambda point: point["x"], 4)
    assert insight_of(SPACE, MAXIMIZE, few, levels=(1, 3, 9)).note.endswith("there are 4 of different hyperparameters")


def test_the_training_job_of_the_predicted_best_is_the_one_that_came_farthest() -> None:
    space = SearchSpace((IntegerRange("k", 1, 9),))
    begun = [
        Trial(k, {"k": k}, TrialStatus.OBSERVED, -abs(k - 5.0) - 1.0, until_epoch=1, paused=True) for k in range(1, 10)
    ]
    went_on = [
        Trial(number, {"k": k}, TrialStatus.OBSERVED, -abs(k - 5.0), continues=k, until_epoch=3, paused=True)
        for number, k in enumerate(range(1, 10), start=10)
    ]
    best = insight_of(space, MAXIMIZE, [*begun, *went_on], levels=(1, 3)).best
    assert best is not None
    assert (best.configuration, best.number) == ({"k": 5}, 14)
