from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from hrnn_tuner.algorithms.hrnn import ALGORITHM
from worker_service.hrnn.evaluation.metrics import LIST_LENGTH, metrics_by_query, relevance_of_lists


def _list_with_relevant_ranks(*ranks: int) -> np.ndarray:
    relevance = np.zeros((1, LIST_LENGTH), np.bool_)
    relevance[0, [rank - 1 for rank in ranks]] = True
    return relevance


def _means(relevance: np.ndarray, *truth_sizes: int) -> dict[str, float]:
    """Means over queries, each with as many items to be found as its list has unless said otherwise."""
    sizes = np.array(truth_sizes) if truth_sizes else np.maximum(1, relevance.sum(axis=1))
    return {name: float(values.mean()) for name, values in metrics_by_query(relevance, sizes).items()}


def test_the_worked_example_of_the_guide_gives_its_published_numbers() -> None:
    metrics = _means(_list_with_relevant_ranks(2, 5))
    assert metrics["mean_reciprocal_rank_at_25"] == 0.5
    assert metrics["normalized_discounted_cumulative_gain_at_5"] == pytest.approx(0.6241, abs=5e-5)
    assert metrics["precision_at_5"] == pytest.approx(0.4)


def test_gain_is_normalised_by_the_same_hits_moved_to_the_front() -> None:
    expected = (1 / math.log2(3) + 1 / math.log2(6)) / (1 / math.log2(2) + 1 / math.log2(3))
    assert _means(_list_with_relevant_ranks(2, 5))["normalized_discounted_cumulative_gain_at_10"] == pytest.approx(
        expected
    )


def test_hits_behind_the_cut_off_do_not_count_for_it() -> None:
    metrics = _means(_list_with_relevant_ranks(6, 25))
    assert metrics["precision_at_5"] == 0
    assert metrics["hit_rate_at_5"] == 0
    assert metrics["normalized_discounted_cumulative_gain_at_5"] == 0
    assert metrics["precision_at_10"] == pytest.approx(1 / 10)
    assert metrics["precision_at_25"] == pytest.approx(2 / 25)


def test_queries_without_a_hit_count_as_zero_in_every_mean() -> None:
    both = np.concatenate((_list_with_relevant_ranks(1), np.zeros((1, LIST_LENGTH), np.bool_)))
    metrics = _means(both)
    assert metrics["mean_reciprocal_rank_at_25"] == 0.5
    assert metrics["hit_rate_at_25"] == 0.5
    assert metrics["normalized_discounted_cumulative_gain_at_25"] == 0.5


def test_recall_is_the_found_share_of_the_truth() -> None:
    metrics = _means(_list_with_relevant_ranks(1, 3, 12), 4)
    assert metrics["recall_at_5"] == pytest.approx(2 / 4)
    assert metrics["recall_at_10"] == pytest.approx(2 / 4)
    assert metrics["recall_at_25"] == pytest.approx(3 / 4)


def test_the_gain_of_papers_is_normalised_by_a_list_full_of_the_truth() -> None:
    relevance = _list_with_relevant_ranks(2, 5)
    gain = 1 / math.log2(3) + 1 / math.log2(6)
    three_in_front = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    five_in_front = three_in_front + 1 / math.log2(5) + 1 / math.log2(6)
    assert _means(relevance, 3)["ndcg_truth_at_5"] == pytest.approx(gain / three_in_front)
    assert _means(relevance, 60)["ndcg_truth_at_5"] == pytest.approx(gain / five_in_front)
    assert _means(_list_with_relevant_ranks(1, 2, 3), 3)["ndcg_truth_at_10"] == pytest.approx(1.0)


def test_with_one_item_to_be_found_both_gains_differ_only_by_its_rank() -> None:
    metrics = _means(_list_with_relevant_ranks(4), 1)
    assert metrics["ndcg_truth_at_5"] == pytest.approx(1 / math.log2(5))
    assert metrics["normalized_discounted_cumulative_gain_at_5"] == pytest.approx(1 / math.log2(5))


def test_every_query_keeps_its_own_value() -> None:
    lists = np.concatenate([_list_with_relevant_ranks(1), _list_with_relevant_ranks(2), _list_with_relevant_ranks()])
    found = metrics_by_query(lists, np.array([1, 2, 1]))
    assert found["mean_reciprocal_rank_at_25"].tolist() == [1.0, 0.5, 0.0]
    assert found["hit_rate_at_5"].tolist() == [1.0, 1.0, 0.0]
    assert found["recall_at_5"].tolist() == [1.0, 0.5, 0.0]


def test_a_model_that_scores_all_items_alike_ranks_the_relevant_one_last() -> None:
    relevant = torch.zeros(1, 30, dtype=torch.bool)
    relevant[0, 0] = True
    assert not relevance_of_lists(torch.zeros(1, 30), relevant).any()


def test_the_rank_of_a_tied_item_is_the_number_of_items_that_score_no_less() -> None:
    scores = torch.tensor([[3.0, 2.0, 2.0, 2.0, 1.0]])
    relevant = torch.tensor([[False, True, False, False, False]])
    assert torch.nonzero(relevance_of_lists(scores, relevant)[0]).flatten().tolist() == [3]


def test_tied_relevant_items_take_different_ranks_behind_the_others() -> None:
    scores = torch.tensor([[3.0, 2.0, 2.0, 2.0, 1.0]])
    relevant = torch.tensor([[False, True, True, False, True]])
    assert torch.nonzero(relevance_of_lists(scores, relevant)[0]).flatten().tolist() == [2, 3, 4]


def test_lists_agree_with_sorting_the_whole_catalogue_when_there_are_no_ties() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(20, 100, generator=generator)
    relevant = torch.rand(20, 100, generator=generator) < 0.1
    expected = relevant.gather(1, scores.argsort(dim=1, descending=True))[:, :LIST_LENGTH]
    assert torch.equal(relevance_of_lists(scores, relevant), expected)


def test_a_catalogue_shorter_than_the_list_leaves_the_rest_of_it_empty() -> None:
    found = relevance_of_lists(torch.tensor([[1.0, 2.0]]), torch.tensor([[True, True]]))
    assert found.shape == (1, LIST_LENGTH)
    assert found.sum() == 2


def test_a_query_without_relevant_items_has_no_hit() -> None:
    assert not relevance_of_lists(torch.randn(1, 50), torch.zeros(1, 50, dtype=torch.bool)).any()


def test_every_ranking_metric_is_declared() -> None:
    declared = {metric.name for metric in ALGORITHM.metrics}
    assert declared == set(_means(_list_with_relevant_ranks(1))) | {"coverage", "train_loss"}
