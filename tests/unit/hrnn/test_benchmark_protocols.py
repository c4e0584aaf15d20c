from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
import torch

from hrnn_tuner.algorithms.hrnn import ALGORITHM
from tests.benchmarks.hrnn.amazon import notebook_metrics
from tests.benchmarks.hrnn.datasets import interactions
from tests.benchmarks.hrnn.splits import LeaveLastOut, NewestShare
from tests.benchmarks.paths import DATA
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.data.preparation import Interactions, prepare
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.data.reading import RawInteractions
from worker_service.hrnn.settings import HrnnSettings

EVERYBODY = HrnnSettings.from_hyperparameters(
    {**ALGORITHM.defaults(), "max_user_history_length_percentile": 1.0, "recency_mask": False}
)


def _histories(lengths: list[int]) -> Interactions:
    """Users with histories of given lengths, one event a second, all items different within a user."""
    users = [f"u{user}".encode() for user, length in enumerate(lengths) for _ in range(length)]
    items = [f"i{place}".encode() for length in lengths for place in range(length)]
    raw = RawInteractions(
        users=pa.array(users, pa.large_binary()),
        items=pa.array(items, pa.large_binary()),
        timestamps=np.arange(len(users)),
        left_out=0,
    )
    return prepare(raw)[0]


@pytest.mark.parametrize(("length", "asked"), [(2, 1), (9, 1), (10, 1), (11, 2), (19, 2), (20, 2), (21, 3)])
def test_the_newest_share_is_what_a_percent_rank_above_nine_tenths_holds(length: int, asked: int) -> None:
    division = NewestShare(has_validation=False).divide(_histories([length] * 3), 1800)
    assert (division.test.end - division.test.start).tolist() == [asked] * 3
    ranks = np.arange(1, length + 1) / length
    assert asked == max(1, int((ranks > 0.9).sum()))


def test_users_that_choose_the_epoch_do_not_train_and_show_no_event_of_the_test() -> None:
    source = _histories([40] * 60)
    division = NewestShare().divide(source, 1800)
    held = division.validation.user
    assert 0 < len(held) < 20
    assert (division.training_ends[held] == source.offsets[held]).all()
    of_test = np.isin(division.test.user, held)
    assert (division.validation.end == division.test.start[of_test]).all()
    assert len(division.test.user) == 60


def test_leave_last_out_asks_for_the_last_event_and_validates_on_the_one_before() -> None:
    source = _histories([5, 2, 3])
    division = LeaveLastOut().divide(source, 1800)
    assert division.test.user.tolist() == [0, 2]
    assert division.test.start.tolist() == [4, 9]
    assert division.validation.start.tolist() == [3, 8]
    assert (division.training_ends - source.offsets[:-1]).tolist() == [3, 0, 1]


@dataclass
class FixedScores:
    """Scores the same for every query."""

    scores: torch.Tensor

    def __call__(self, queries: Queries) -> torch.Tensor:
        return self.scores.expand(len(queries), -1)


def test_the_notebooks_gain_weighs_the_first_two_ranks_alike_and_takes_the_lists_own_hits_as_the_ideal() -> None:
    queries = Queries(
        items=(np.array([1]),),
        times=(np.array([0]),),
        features=(np.zeros((1, 4), np.float32),),
        ask_times=np.array([1]),
        ask_features=np.zeros((1, 4), np.float32),
        truth=(np.array([3, 5]),),
        truth_sizes=np.array([2]),
        users=np.array([0]),
    )
    best_first = FixedScores(torch.arange(30.0, 0.0, -1.0))  # the list is 1, 2, 3, ...
    found = notebook_metrics(best_first, queries)
    assert found["MRR"] == pytest.approx(1 / 3)
    assert found["P@5"] == pytest.approx(2 / 5)
    assert found["NDCG@5"] == pytest.approx((1 / np.log2(3) + 1 / np.log2(5)) / 2)
    assert found["seen last: P@5"] == pytest.approx(2 / 5)  # item 1 goes to the end, 6 comes up
    assert found["seen last: NDCG@25"] == pytest.approx((1 + 1 / 2) / 2)


@pytest.mark.skipif(not (DATA / "ml-1m-order").exists(), reason=f"{DATA}/ml-1m-order is not here")
def test_popularity_scores_what_amazons_notebook_printed_for_it() -> None:
    data = training_data(interactions("ml-1m-order"), EVERYBODY, 0, NewestShare(has_validation=False))
    counts = torch.from_numpy(np.bincount(data.events_item, minlength=len(data.catalogue) + 1)[1:]).float()
    found = notebook_metrics(FixedScores(counts), data.test)
    printed = {"MRR": 0.0644, "P@5": 0.0198, "P@10": 0.0201, "P@25": 0.0217}
    printed |= {"NDCG@5": 0.0438, "NDCG@10": 0.0655, "NDCG@25": 0.1222}
    assert {name: found[name] for name in printed} == pytest.approx(printed, abs=2e-4)
