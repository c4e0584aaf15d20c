from __future__ import annotations

import numpy as np
import pytest

from worker_service.hrnn.data.queries import ask_features, encode_history
from worker_service.hrnn.data.recency import choose_half_life, item_counts, target_weights
from worker_service.hrnn.data.sessions import DAY_S, FIRST, GAP, LONG_BREAK, SESSION_START, SessionRule

RULE = SessionRule(session_gap_s=1800, long_break_s=DAY_S, typical_start_gap_s=7200)


def test_a_wished_session_gap_is_kept_where_it_divides_the_data_sensibly() -> None:
    gaps = np.array([10] * 90 + [5000] * 10)
    assert SessionRule.choose(1800, gaps) == SessionRule(1800, DAY_S, 5000)


@pytest.mark.parametrize("gaps", [[10] * 999 + [5000], [5000] * 70 + [10] * 30])
def test_a_session_gap_that_almost_nothing_or_almost_all_exceeds_gives_way_to_a_quantile(gaps: list[int]) -> None:
    rule = SessionRule.choose(1800, np.array(gaps))
    assert rule.session_gap_s == int(np.quantile(gaps, 0.9))


def test_data_without_any_gap_keep_the_wished_session_gap() -> None:
    assert SessionRule.choose(1800, np.zeros(50, np.int64)).session_gap_s == 1800
    assert SessionRule.choose(1800, np.zeros(0, np.int64)).typical_start_gap_s == 1801


def test_features_say_gap_session_start_long_break_and_first_event() -> None:
    features = RULE.features(np.array([0, 60, 1800, 1801, DAY_S + 1]), np.array([True, False, False, False, False]))
    assert features[:, FIRST].tolist() == [1, 0, 0, 0, 0]
    assert features[:, SESSION_START].tolist() == [0, 0, 0, 1, 1]
    assert features[:, LONG_BREAK].tolist() == [0, 0, 0, 0, 1]
    assert features[1, GAP] == pytest.approx(np.log(2) / 10)


def test_a_first_event_starts_no_session_whatever_its_gap() -> None:
    assert RULE.features(np.array(10**9), np.array(True)).tolist() == [0, 0, 0, 1]


def test_a_history_leaves_out_unknown_items_and_measures_gaps_between_the_known() -> None:
    items, _, features = encode_history(np.array([0, 5, 0, 7]), np.array([0, 100, 200, 160 + 60 * 60]), RULE, 100)
    assert items.tolist() == [5, 7]
    assert features[:, FIRST].tolist() == [1, 0]
    assert features[1, GAP] == pytest.approx(np.log1p(61) / 10)


def test_a_long_history_keeps_its_newest_events_and_starts_with_them() -> None:
    items, _, features = encode_history(np.arange(1, 11), np.arange(10) * 60, RULE, 3)
    assert items.tolist() == [8, 9, 10]
    assert features[:, FIRST].tolist() == [1, 0, 0]
    assert features[0, GAP] == 0


def test_an_unknown_time_of_asking_counts_as_a_typical_session_start() -> None:
    assert ask_features(RULE, 1000, None).tolist() == ask_features(RULE, 1000, 1000 + 7200).tolist()
    assert ask_features(RULE, 1000, None)[SESSION_START] == 1


def test_asking_before_the_last_event_counts_as_asking_with_it() -> None:
    assert ask_features(RULE, 1000, 10).tolist() == [0, 0, 0, 0]


def test_recent_targets_weigh_more_old_ones_nothing_and_the_mean_is_one() -> None:
    now = 100 * DAY_S
    times = now - np.array([0, 10, 20, 56, 57]) * DAY_S
    weights = target_weights(times, now, 10.0)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[0] / weights[1] == pytest.approx(2.0)
    assert weights[1] / weights[2] == pytest.approx(2.0)
    assert weights[3] > 0
    assert weights[4] == 0  # 2^-5.7 < 0.02


def test_without_recency_all_targets_weigh_one() -> None:
    assert target_weights(np.array([1, 10**9]), 10**9, None).tolist() == [1.0, 1.0]


def test_all_targets_weigh_alike_when_none_is_recent() -> None:
    assert target_weights(np.array([0, 0]), 1000 * DAY_S, 1.0).tolist() == [1.0, 1.0]


def test_popularity_is_decayed_with_recency_and_plain_without() -> None:
    items, times = np.array([1, 1, 3], np.int32), np.array([0, DAY_S, DAY_S])
    assert item_counts(items, times, 3, None).tolist() == [2, 0, 1]
    assert item_counts(items, times, 3, 1.0).tolist() == [1.5, 0, 1]


def test_a_short_half_life_is_chosen_where_popularity_changes_fast() -> None:
    rng = np.random.default_rng(0)
    days = np.sort(rng.uniform(0, 100, 20_000))
    fast = (days + rng.integers(0, 3, len(days))).astype(np.int32) + 1  # each day has its own items
    times = (days * DAY_S).astype(np.int64)
    steady = rng.integers(1, 104, len(days)).astype(np.int32)
    assert choose_half_life(fast, times, 103) <= 7
    assert choose_half_life(steady, times, 103) >= 180


def test_events_all_at_one_time_get_the_longest_half_life() -> None:
    assert choose_half_life(np.array([1, 2], np.int32), np.array([5, 5]), 2) == 365
    assert choose_half_life(np.zeros(0, np.int32), np.zeros(0, np.int64), 2) == 365
