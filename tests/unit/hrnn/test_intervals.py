from __future__ import annotations

import numpy as np
import pytest

from worker_service.hrnn.evaluation import intervals
from worker_service.hrnn.evaluation.evaluate import Evaluation
from worker_service.hrnn.evaluation.intervals import bootstrap_interval, metric_intervals, paired_difference
from worker_service.hrnn.evaluation.metrics import LIST_LENGTH


def _evaluation(ranks: np.ndarray, users: np.ndarray | None = None) -> Evaluation:
    """One item to be found per query, at the given rank from 1; 0 for a miss."""
    relevance = np.zeros((len(ranks), LIST_LENGTH), np.bool_)
    hits = np.flatnonzero(ranks)
    relevance[hits, ranks[hits] - 1] = True
    return Evaluation(relevance, np.ones(len(ranks), np.int64), np.arange(len(ranks)) if users is None else users, 0.5)


def test_the_interval_covers_the_true_mean_in_about_95_of_100_studies() -> None:
    rng = np.random.default_rng(1)
    studies, covered = 400, 0
    for study in range(studies):
        values = rng.exponential(2.0, size=80)
        interval = bootstrap_interval(values, np.arange(80), resamples=500, seed=study)
        covered += interval.low <= 2.0 <= interval.high
    assert 0.90 <= covered / studies <= 0.98


def test_the_interval_covers_the_true_mean_where_queries_of_a_user_are_alike() -> None:
    rng = np.random.default_rng(2)
    studies, covered, taken_as_independent = 300, 0, 0
    for study in range(studies):
        users = np.repeat(np.arange(60), rng.integers(1, 20, size=60))
        values = rng.normal(1.0, 1.0, size=60)[users] + rng.normal(0.0, 0.3, size=len(users))
        interval = bootstrap_interval(values, users, resamples=400, seed=study)
        naive = bootstrap_interval(values, np.arange(len(users)), resamples=400, seed=study)
        covered += interval.low <= 1.0 <= interval.high
        taken_as_independent += naive.low <= 1.0 <= naive.high
    assert 0.90 <= covered / studies <= 0.98
    assert taken_as_independent / studies < 0.7


def test_repeating_every_query_of_every_user_adds_no_certainty() -> None:
    values = np.random.default_rng(3).normal(size=50)
    once = bootstrap_interval(values, np.arange(50))
    often = bootstrap_interval(np.repeat(values, 30), np.repeat(np.arange(50), 30))
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_the_mean_is_that_of_the_queries_and_lies_in_the_interval() -> None:
    values, users = np.array([1.0, 0.0, 0.0, 1.0, 1.0]), np.array([4, 4, 4, 9, 7])
    interval = bootstrap_interval(values, users)
    assert interval.mean == pytest.approx(0.6)
    assert interval.low <= interval.mean <= interval.high


def test_equal_values_leave_no_doubt() -> None:
    interval = bootstrap_interval(np.full(9, 0.25), np.arange(9))
    assert (interval.mean, interval.low, interval.high) == (0.25, 0.25, 0.25)


def test_the_seed_decides_and_blocks_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    values, users = np.random.default_rng(4).normal(size=40), np.arange(40)
    whole = bootstrap_interval(values, users, seed=1)
    assert bootstrap_interval(values, users, seed=1) == whole
    assert bootstrap_interval(values, users, seed=2) != whole
    monkeypatch.setattr(intervals, "_DRAWS_PER_BLOCK", 130)
    assert bootstrap_interval(values, users, seed=1) == whole


def test_every_mean_of_an_evaluation_gets_its_interval() -> None:
    evaluation = _evaluation(np.array([1, 2, 0, 7, 0, 25]))
    found = metric_intervals(evaluation)
    assert set(found) == set(evaluation.metrics()) - {"coverage"}
    for name, interval in found.items():
        assert interval.mean == pytest.approx(evaluation.metrics()[name])
        assert interval == bootstrap_interval(evaluation.per_query(name), evaluation.users)


def test_a_small_planted_difference_shows_in_pairs_although_users_differ_much() -> None:
    rng = np.random.default_rng(5)
    worse = rng.integers(2, 26, size=400)
    better = np.where(rng.random(400) < 0.3, worse - 1, worse)
    first, second = _evaluation(better), _evaluation(worse)
    name = "normalized_discounted_cumulative_gain_at_25"
    difference = paired_difference(first, second, name)
    assert difference.excludes_zero
    assert difference.low > 0
    assert difference.mean == pytest.approx(first.metrics()[name] - second.metrics()[name])
    apart = metric_intervals(first)[name].low - metric_intervals(second)[name].high
    assert apart < 0  # each on its own could not tell
    assert paired_difference(second, first, name).high < 0


def test_two_recommenders_that_are_equally_good_are_seldom_told_apart() -> None:
    rng = np.random.default_rng(6)
    found = [
        paired_difference(
            _evaluation(rng.integers(0, 26, size=120)),
            _evaluation(rng.integers(0, 26, size=120)),
            "mean_reciprocal_rank_at_25",
            resamples=300,
        ).excludes_zero
        for _ in range(200)
    ]
    assert np.mean(found) < 0.1


def test_the_same_recommender_differs_by_nothing() -> None:
    evaluation = _evaluation(np.array([1, 0, 3]))
    difference = paired_difference(evaluation, evaluation, "hit_rate_at_5")
    assert (difference.mean, difference.low, difference.high) == (0, 0, 0)
    assert not difference.excludes_zero


def test_evaluations_of_different_queries_are_not_compared() -> None:
    with pytest.raises(ValueError, match="different queries"):
        paired_difference(_evaluation(np.array([1, 2])), _evaluation(np.array([1, 2, 3])), "hit_rate_at_5")
    with pytest.raises(ValueError, match="different queries"):
        paired_difference(
            _evaluation(np.array([1, 2])), _evaluation(np.array([1, 2]), np.array([0, 5])), "hit_rate_at_5"
        )
