from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from hrnn_tuner.algorithms import InvalidObjectiveError
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.data.sessions import FEATURES
from worker_service.hrnn.evaluation.evaluate import evaluate
from worker_service.hrnn.evaluation.without_seen import WithoutSeen


def _queries(*truths: tuple[list[int], int], histories: list[list[int]] | None = None) -> Queries:
    """Questions with their known truth and its whole size; only what `evaluate` reads matters."""
    count = len(truths)
    items = [np.array(items, np.int64) for items in histories or [[]] * count]
    return Queries(
        items=tuple(items),
        times=tuple(np.zeros(len(own), np.int64) for own in items),
        features=tuple(np.zeros((len(own), FEATURES), np.float32) for own in items),
        ask_times=np.zeros(count, np.int64),
        ask_features=np.zeros((count, FEATURES), np.float32),
        truth=tuple(np.array(truth, np.int64) for truth, _ in truths),
        truth_sizes=np.array([size for _, size in truths], np.int64),
        users=np.arange(count),
    )


def _best_first(batch: Queries) -> torch.Tensor:
    """Ranks a catalogue of 40 items by their numbers, 1 first."""
    return -torch.arange(40.0).expand(len(batch), -1)


def test_means_are_over_all_queries_and_carry_every_metric() -> None:
    evaluation = evaluate(_best_first, _queries(([1], 1), ([3], 1), ([30], 1)), 40, 50)
    metrics = evaluation.metrics()
    assert metrics["mean_reciprocal_rank_at_25"] == pytest.approx((1 + 1 / 3) / 3)
    assert metrics["coverage"] == pytest.approx(25 / 50)
    assert set(metrics) == {*evaluation.by_query, "coverage"}


def test_items_outside_the_catalogue_are_misses() -> None:
    evaluation = evaluate(_best_first, _queries(([2], 4), ([], 1)), 40, 40)
    assert evaluation.per_query("recall_at_5").tolist() == [0.25, 0.0]
    all_four_in_front = sum(1 / math.log2(1 + rank) for rank in range(1, 5))
    assert evaluation.per_query("ndcg_truth_at_5").tolist() == pytest.approx([1 / math.log2(3) / all_four_in_front, 0])
    assert evaluation.per_query("hit_rate_at_25").tolist() == [1.0, 0.0]


def test_a_metric_is_known_for_every_query_in_their_order_whatever_the_batches() -> None:
    truths = [([1 + place % 7], 1) for place in range(600)]
    evaluation = evaluate(_best_first, _queries(*truths), 40, 40)
    expected = [1 / (1 + place % 7) for place in range(600)]
    assert evaluation.per_query("mean_reciprocal_rank_at_25").tolist() == pytest.approx(expected)
    assert evaluation.users.tolist() == list(range(600))


def test_coverage_is_no_metric_of_single_queries() -> None:
    evaluation = evaluate(_best_first, _queries(([1], 1)), 40, 40)
    with pytest.raises(ValueError, match="no metric 'coverage' of single queries; known: precision_at_5"):
        evaluation.per_query("coverage")


def test_nothing_to_evaluate_is_an_error() -> None:
    with pytest.raises(ValueError, match="no queries"):
        evaluate(_best_first, _queries(), 40, 40)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_scores_that_are_not_finite_are_an_error(value: float) -> None:
    with pytest.raises(InvalidObjectiveError, match="NaN or infinite"):
        evaluate(lambda batch: torch.full((len(batch), 40), value), _queries(([1], 1)), 40, 40)


def test_items_of_the_history_can_be_moved_behind_all_others() -> None:
    queries = _queries(([3], 1), ([1], 1), ([1], 1), histories=[[], [2, 1], [2]])
    scores = WithoutSeen(_best_first)(queries)
    assert scores.argsort(dim=1, descending=True)[:, :3].tolist() == [[0, 1, 2], [2, 3, 4], [0, 2, 3]]
    evaluation = evaluate(WithoutSeen(_best_first), queries, 40, 40)
    assert evaluation.per_query("mean_reciprocal_rank_at_25").tolist() == pytest.approx([1 / 3, 0.0, 1.0])


def test_a_filter_leaves_the_scores_of_the_model_as_they_are() -> None:
    kept = torch.zeros(1, 40)
    WithoutSeen(lambda _: kept)(_queries(([3], 1), histories=[[5]]))
    assert not kept.any()
