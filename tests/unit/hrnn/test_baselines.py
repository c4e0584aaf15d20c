from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from hrnn_tuner.algorithms import DataChannel
from tests.support.interactions import write_interactions
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.data.sessions import DAY_S, FEATURES, SessionRule
from worker_service.hrnn.data.split import TemporalSplit, UserHoldout
from worker_service.hrnn.evaluation.baselines import item_knn
from worker_service.hrnn.evaluation.baselines.events import TrainingEvents
from worker_service.hrnn.evaluation.baselines.item_knn import ItemKnn
from worker_service.hrnn.evaluation.baselines.markov import Markov
from worker_service.hrnn.evaluation.baselines.own_frequency import OwnFrequency
from worker_service.hrnn.evaluation.baselines.popularity import DecayedPopularity, Popularity, best_half_life
from worker_service.hrnn.evaluation.baselines.session_knn import SessionKnn
from worker_service.hrnn.evaluation.evaluate import Scorer, evaluate
from worker_service.hrnn.settings import HrnnSettings

RULE = SessionRule(session_gap_s=1800, long_break_s=DAY_S, typical_start_gap_s=7200)
Event = tuple[int, int]

ALL: dict[str, Callable[[TrainingEvents], Scorer]] = {
    "popularity": Popularity,
    "decayed popularity": lambda events: DecayedPopularity(events, 7.0),
    "own frequency": OwnFrequency,
    "markov": Markov,
    "item-knn": ItemKnn,
    "session-knn": lambda events: SessionKnn(events, RULE),
}


def _events(*histories: list[Event] | list[int], size: int) -> TrainingEvents:
    """Training histories of (item, time), or of items alone, one a minute."""
    timed = [_timed(history) for history in histories]
    flat = [event for history in timed for event in history]
    return TrainingEvents(
        item=np.array([item for item, _ in flat], np.int32),
        time=np.array([time for _, time in flat], np.int64),
        offsets=np.concatenate(([0], np.cumsum([len(history) for history in timed]))),
        size=size,
    )


def _timed(history: list[Event] | list[int]) -> list[Event]:
    return [event if isinstance(event, tuple) else (event, 60 * place) for place, event in enumerate(history)]


def _queries(*histories: list[Event] | list[int], truth: list[int] | None = None) -> Queries:
    """Questions after histories; item ``truth[q]``, or the first, is to be found."""
    timed = [_timed(history) for history in histories]
    count = len(timed)
    return Queries(
        items=tuple(np.array([item for item, _ in own], np.int64) for own in timed),
        times=tuple(np.array([time for _, time in own], np.int64) for own in timed),
        features=tuple(np.zeros((len(own), FEATURES), np.float32) for own in timed),
        ask_times=np.zeros(count, np.int64),
        ask_features=np.zeros((count, FEATURES), np.float32),
        truth=tuple(np.array([item], np.int64) for item in truth or [1] * count),
        truth_sizes=np.ones(count, np.int64),
        users=np.arange(count),
    )


def _ranked(score: Scorer, history: list[Event] | list[int]) -> list[int]:
    """Catalogue numbers, best first."""
    return (score(_queries(history))[0].argsort(descending=True, stable=True) + 1).tolist()


def test_popularity_ranks_by_the_number_of_events() -> None:
    score = Popularity(_events([3, 3, 1], [3, 1, 2], [4, 3], size=4))
    assert _ranked(score, [2])[:2] == [3, 1]
    assert len(score(_queries([2])).unique()) == 3  # type: ignore[no-untyped-call]  # 2 and 4 tie, and stay so


def test_decayed_popularity_halves_an_event_with_every_half_life() -> None:
    events = _events([(1, 0), (1, 0), (1, 0), (2, 10 * DAY_S), (3, 5 * DAY_S)], size=3)
    scores = DecayedPopularity(events, 5.0)(_queries([]))[0]
    assert (scores / scores[1]).tolist() == pytest.approx([0.75, 1.0, 0.5])
    assert _ranked(DecayedPopularity(events, 100.0), [])[0] == 1


def test_the_half_life_is_chosen_by_what_the_validation_queries_ask_for() -> None:
    events = _events([(1, 0), (1, 0), (1, 0), (2, 10 * DAY_S), (3, 5 * DAY_S)], size=3)
    assert best_half_life(events, _queries([], truth=[2])) == 1.0
    assert (
        best_half_life(events, _queries([], truth=[1])) == 7.0
    )  # of the tried ones, the shortest with item 1 in front


def test_own_frequency_ranks_by_count_then_by_the_latest_then_by_popularity() -> None:
    events = _events([5, 5, 5, 6, 6, 4], size=6)
    assert _ranked(OwnFrequency(events), [1, 3, 2, 3, 1, 4])[:6] == [1, 3, 4, 2, 5, 6]


def test_markov_ranks_by_what_followed_the_last_item_then_by_popularity() -> None:
    events = _events([1, 2, 1, 3, 1, 2], [2, 4], [4, 4, 4, 4], size=4)
    score = Markov(events)
    assert _ranked(score, [4, 1]) == [2, 3, 4, 1]
    assert _ranked(score, [1, 3]) == [1, 4, 2, 3]  # only 1 ever followed 3


def test_markov_sees_no_step_from_one_history_to_the_next() -> None:
    score = Markov(_events([1, 2], [3, 1], size=3))
    popularity = Popularity(_events([1, 2], [3, 1], size=3))
    assert torch.equal(score(_queries([2])), popularity(_queries([2])))


def test_item_knn_ranks_by_the_cosine_of_the_histories_that_hold_two_items() -> None:
    events = _events([1, 2, 2], [1, 2], [1, 3], [3, 4], [3], size=4)
    scores = ItemKnn(events)(_queries([1]))[0] - 1
    assert scores[:3].tolist() == pytest.approx([1.0, 2 / np.sqrt(3 * 2), 1 / np.sqrt(3 * 3)], abs=1e-6)
    assert _ranked(ItemKnn(events), [1]) == [1, 2, 3, 4]


def test_item_knn_counts_the_last_ten_items_and_older_ones_less() -> None:
    events = _events([1, 2], [3, 4], [5], size=5)
    scores = ItemKnn(events)(_queries([1, 5, 3], [1, *[5] * 10]))
    assert (scores[0, [1, 3]] - 1).tolist() == pytest.approx([0.64, 1.0], abs=1e-6)
    assert scores[1, 1] < 1  # the eleventh from the end


def test_item_knn_keeps_the_nearest_neighbours_of_each_item_only(monkeypatch: pytest.MonkeyPatch) -> None:
    events = _events([1, 2, 3], [1, 2, 3], [1, 2], [3, 4], size=4)
    every, nearest = ItemKnn(events), ItemKnn(events, neighbours=2)
    assert (every(_queries([1]))[0] > 1).tolist() == [True, True, True, False]
    assert (nearest(_queries([1]))[0] > 1).tolist() == [True, True, False, False]
    monkeypatch.setattr(item_knn, "_ITEMS_PER_BLOCK", 1)
    assert torch.equal(ItemKnn(events)(_queries([1, 4])), every(_queries([1, 4])))


def test_session_knn_lets_similar_sessions_vote_for_their_items() -> None:
    events = _events([1, 2, 3], [2, 4], [5, 6], size=6)
    scores = SessionKnn(events, RULE)(_queries([1, 2]))[0] - 1
    # Weights of 1 and 2 are 1/2 and 1: similarities (1/2 + 1) / 2 and 1 / 2; both share the last item, a full vote.
    assert scores[:4].tolist() == pytest.approx([0.75, 1.25, 0.75, 0.5], abs=1e-6)
    assert (scores[4:] < 0).all()


def test_session_knn_trusts_a_session_less_that_shares_only_earlier_items() -> None:
    events = _events([1, 7], [3, 8], size=8)
    scores = SessionKnn(events, RULE)(_queries([1, 2, 3]))[0] - 1
    assert scores[6] == pytest.approx(1 / 3 / 3 / 3, abs=1e-6)  # weight 1/3, of 3 items, third from the end
    assert scores[7] == pytest.approx(1 / 3, abs=1e-6)


def test_session_knn_sees_sessions_and_not_whole_histories() -> None:
    events = _events([(1, 0), (2, 60), (3, DAY_S), (4, DAY_S + 60)], size=4)
    score = SessionKnn(events, RULE)
    assert (score(_queries([(1, 0)]))[0] > 1).tolist() == [True, True, False, False]
    assert (score(_queries([(1, 0), (3, DAY_S)]))[0] > 1).tolist() == [False, False, True, True]


def test_session_knn_samples_the_latest_sessions_and_keeps_the_nearest() -> None:
    events = _events([(1, 500), (2, 501)], [(1, 900), (9, 901), (3, 902)], [(1, 100), (9, 101), (4, 102)], size=9)
    asked = _queries([9, 1])
    latest = SessionKnn(events, RULE, sample=2)(asked)[0] > 1
    assert latest[[1, 2, 3]].tolist() == [True, True, False]
    nearest = SessionKnn(events, RULE, neighbours=2)(asked)[0] > 1
    assert nearest[[1, 2, 3]].tolist() == [False, True, True]
    one = SessionKnn(events, RULE, neighbours=1)(asked)[0] > 1
    assert one[[1, 2, 3]].tolist() == [False, True, False]  # of equally near ones the later


@pytest.mark.parametrize("name", ALL)
def test_an_empty_history_gets_popular_items(name: str) -> None:
    events = _events([2, 2, 1], [2, 3, 3, 3, 3], size=3)
    assert _ranked(ALL[name](events), [])[0] == 3


@pytest.mark.parametrize("name", ALL)
def test_the_scores_of_a_query_do_not_depend_on_the_queries_beside_it(name: str) -> None:
    rng = np.random.default_rng(0)
    score = ALL[name](_events(*[rng.integers(1, 13, size=9).tolist() for _ in range(20)], size=12))
    histories = [rng.integers(1, 13, size=length).tolist() for length in (0, 0, 1, 4, 15)]
    together = score(_queries(*histories))
    for place, history in enumerate(histories):
        torch.testing.assert_close(score(_queries(history))[0], together[place])


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("split", [UserHoldout(1), TemporalSplit()], ids=["users", "time"])
def test_every_baseline_measures_on_real_training_data(
    name: str, split: UserHoldout | TemporalSplit, tmp_path: Path
) -> None:
    path = write_interactions(tmp_path / "data.csv", users=60, events_per_user=30, items=40, seed=4)
    interactions = load_interactions(DataChannel(str(path)), None)
    data = training_data(interactions, HrnnSettings.from_hyperparameters({}), 1, split)
    score = ALL[name](TrainingEvents.of(data))
    metrics = evaluate(score, data.test, len(data.catalogue), data.total_items).metrics()
    least = 0.8 if name == "markov" else 0.01  # most events of these data go on to the next item of a ring
    assert metrics["hit_rate_at_25"] > least
