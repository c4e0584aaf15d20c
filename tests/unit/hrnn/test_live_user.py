from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from hrnn_tuner.algorithms.contract import AlgorithmError, Recommendation
from worker_service.hrnn.artifact import save_artifact
from worker_service.hrnn.data.sessions import DAY_S, SessionRule
from worker_service.hrnn.live_user import LiveUser
from worker_service.hrnn.network.model import HrnnModel, ModelShape
from worker_service.hrnn.recommender import HrnnRecommender

N = 30
RULE = SessionRule(session_gap_s=1800, long_break_s=DAY_S, typical_start_gap_s=7200)
START = 1_600_000_000
Events = list[tuple[str, int]]


@pytest.fixture(params=["hrnn", "flat"])
def recommender(request: pytest.FixtureRequest, tmp_path: Path) -> HrnnRecommender:
    """A model with random weights, none of them at its neutral start; item-7 and item-2 are the most popular."""
    generator = torch.Generator().manual_seed(1)
    model = HrnnModel(ModelShape(N, 6, request.param, use_query_gap=True, own_items=True), generator)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    counts = torch.ones(N)
    counts[7], counts[2] = 9.0, 5.0
    items = tuple(f"item-{row}" for row in range(N))
    save_artifact(tmp_path, model.shape, model.state_dict(), items, counts, RULE, {})
    return HrnnRecommender(tmp_path)


def _events(count: int, seed: int) -> Events:
    """Events with repeated and with unknown items, some at the same time, some after long breaks."""
    rng, time, events = random.Random(seed), START, []
    for place in range(count):
        time += rng.choice([0, 1, 300, 1800, 1801, DAY_S, 40 * DAY_S])
        kind = "never-seen" if place % 4 == 1 or place == count - 1 else "item"
        events.append((f"{kind}-{rng.randrange(N)}", time))
    return list(dict.fromkeys(events))


def _same(found: list[Recommendation], expected: list[Recommendation]) -> None:
    shares = {item.item_id: item.score for item in found}
    assert shares == pytest.approx({item.item_id: item.score for item in expected}, abs=1e-6)


def test_reading_events_one_by_one_equals_recommending_from_the_whole_history(recommender: HrnnRecommender) -> None:
    events, user = _events(40, seed=2), recommender.user()
    for read, (item, time) in enumerate(events, start=1):
        user.add(item, time)
        for now in (None, time, time + 500, time + 3 * DAY_S):
            _same(user.recommend(now, N), recommender.recommend(events[:read], now, N))


def test_going_on_from_a_history_equals_having_read_all_of_it(recommender: HrnnRecommender) -> None:
    events = _events(40, seed=3)
    user = recommender.user(events[:25])
    for item, time in events[25:]:
        user.add(item, time)
    _same(user.recommend(None, N), recommender.recommend(events, None, N))


def test_asking_changes_nothing(recommender: HrnnRecommender) -> None:
    events = _events(20, seed=4)
    asked, silent = recommender.user(), recommender.user()
    for item, time in events:
        asked.add(item, time)
        asked.recommend(time + 9999, 3, filter_seen=True)
        silent.add(item, time)
    assert asked.recommend(None, N) == silent.recommend(None, N)


def test_users_do_not_disturb_each_other(recommender: HrnnRecommender) -> None:
    first, second = recommender.user(), recommender.user()
    for (item, time), (other, later) in zip(_events(15, seed=5), _events(15, seed=6), strict=True):
        first.add(item, time)
        second.add(other, later)
    _same(first.recommend(None, N), recommender.recommend(_events(15, seed=5), None, N))


def test_an_event_before_the_latest_is_refused_and_leaves_the_user_as_before(recommender: HrnnRecommender) -> None:
    user = recommender.user([("item-1", START), ("item-2", START + 60)])
    before = user.recommend(None, N)
    with pytest.raises(AlgorithmError, match=rf"event at {START + 59} comes after one at {START + 60}; .* in order"):
        user.add("item-3", START + 59)
    assert user.recommend(None, N) == before
    user.add("item-3", START + 60)
    assert user.recommend(None, N) != before


def test_an_event_with_an_unknown_item_changes_nothing_whenever_it_was(recommender: HrnnRecommender) -> None:
    user = recommender.user([("item-1", START)])
    before = user.recommend(START + 9000, N)
    for time in (START - 5, START, START + 8000):
        user.add("never-seen", time)
    assert user.recommend(START + 9000, N) == before


@pytest.mark.parametrize("history", [[], [("never-seen", START), ("never-heard", START + 1)]])
def test_unknown_users_get_popular_items(recommender: HrnnRecommender, history: Events) -> None:
    user = recommender.user()
    for item, time in history:
        user.add(item, time)
    for asked in (user, recommender.user(history)):
        assert [item.item_id for item in asked.recommend(START, 2)] == ["item-7", "item-2"]


def test_the_first_known_event_ends_popularity(recommender: HrnnRecommender) -> None:
    user = recommender.user()
    before = user.recommend(None, N)
    user.add("item-4", START)
    assert user.recommend(None, N) != before
    assert user.recommend(None, N) == recommender.recommend([("item-4", START)], None, N)


@pytest.mark.parametrize("read", [0, 1, 30])
def test_scores_sum_to_one_over_the_catalogue(recommender: HrnnRecommender, read: int) -> None:
    found = recommender.user(_events(30, seed=7)[:read]).recommend(None, N)
    assert len({item.item_id for item in found}) == N
    assert sum(item.score for item in found) == pytest.approx(1.0, abs=1e-5)
    assert all(0.0 < item.score < 1.0 for item in found)


def test_seen_items_are_those_read_so_far(recommender: HrnnRecommender) -> None:
    user: LiveUser = recommender.user([("item-1", START)])
    user.add("item-5", START + 9)
    found = {item.item_id for item in user.recommend(None, N, filter_seen=True)}
    assert found == {f"item-{row}" for row in range(N)} - {"item-1", "item-5"}


def test_an_exact_duplicate_changes_nothing(recommender: HrnnRecommender) -> None:
    events = [("item-1", START), ("item-2", START + 60)]
    user = recommender.user(events)
    user.add(*events[-1])
    _same(user.recommend(None, N), recommender.recommend([*events, events[-1]], None, N))
