from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrnn_tuner.algorithms import DataChannel, DataError
from hrnn_tuner.domain.search_space import Value
from tests.support.interactions import make_interactions, write_rows
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import TrainingData, training_data
from worker_service.hrnn.data.preparation import Interactions
from worker_service.hrnn.data.queries import Asked
from worker_service.hrnn.data.split import TemporalSplit
from worker_service.hrnn.settings import HrnnSettings

HOUR_S = 3600
SESSION_GAP_S = 1800
Rows = list[tuple[str, str, int]]


def _interactions(folder: Path, rows: Rows) -> Interactions:
    name = f"{abs(hash(tuple(rows)))}.csv"
    return load_interactions(DataChannel(str(write_rows(folder / name, rows))), None)


def _data(interactions: Interactions, divided: TemporalSplit, **hyperparameters: Value) -> TrainingData:
    everybody: dict[str, Value] = {"max_user_history_length_percentile": 1.0}
    return training_data(interactions, HrnnSettings.from_hyperparameters({**everybody, **hyperparameters}), 1, divided)


def _steady(users: int = 4, hours: int = 20, distinct: int = 20) -> Rows:
    """Every user has a session of two events in every hour: item i<h> in hour h (modulo ``distinct``), then "and"."""
    return [
        (f"u{user}", item, hour * HOUR_S + user + later)
        for hour in range(hours)
        for user in range(users)
        for item, later in ((f"i{hour % distinct}", 0), ("and", 60))
    ]


#: Users without events before, and behind, the cuts of `_steady`; together they leave these where they are.
_LATE = [("late", "i1", 19 * HOUR_S + second) for second in (0, 9)]
_EARLY = [("early", "i1", HOUR_S + second) for second in range(10)]


def _asked_hours(interactions: Interactions, asked: Asked) -> list[int]:
    return sorted({int(time) // HOUR_S for time in interactions.timestamp[asked.start]})


def test_eight_tenths_of_the_time_train_and_the_next_two_validate_and_test(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, _steady())
    data = _data(interactions, TemporalSplit())
    trained = [interactions.items[int(item)] for item in data.catalogue]
    assert sorted(trained) == sorted(["and", *(f"i{hour}" for hour in range(16))])
    assert data.events_time.max() < 16 * HOUR_S
    assert len(data.validation) == len(data.test) == 4
    assert set(data.validation.ask_times // HOUR_S) == {16}
    assert set(data.test.ask_times // HOUR_S) == {18}


def test_the_truth_is_the_first_event_of_the_window_and_the_history_is_all_before_it(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, _steady(users=1, distinct=5))
    data = _data(interactions, TemporalSplit())
    number = {interactions.items[int(item)]: place + 1 for place, item in enumerate(data.catalogue)}
    whole = [number[item] for _, item, _ in _steady(users=1, distinct=5)]
    assert data.validation.items[0].tolist() == whole[:32]
    assert data.validation.truth[0].tolist() == [number["i1"]]
    assert data.test.items[0].tolist() == whole[:36]
    assert data.test.truth[0].tolist() == [number["i3"]]


def test_users_without_a_past_or_without_a_future_are_not_asked_about(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, [*_steady(), *_LATE, *_EARLY])
    division = TemporalSplit().divide(interactions, SESSION_GAP_S)
    for asked in (division.validation, division.test):
        assert [interactions.users[int(user)] for user in asked.user] == ["u0", "u1", "u2", "u3"]


def test_an_event_that_goes_on_with_a_session_from_before_the_cut_trains_with_it(tmp_path: Path) -> None:
    long_session = [("long", f"x{minute}", 15 * HOUR_S + 60 * minute) for minute in range(0, 150, 10)]
    interactions = _interactions(tmp_path, [*_steady(users=20), *long_session, ("long", "i1", 19 * HOUR_S + 99)])
    division = TemporalSplit().divide(interactions, SESSION_GAP_S)
    user = interactions.users.find("long")
    assert user is not None
    training = slice(int(interactions.offsets[user]), int(division.training_ends[user]))
    assert [interactions.items[item] for item in interactions.item[training]] == [item for _, item, _ in long_session]
    assert interactions.timestamp[training].max() > 17 * HOUR_S
    assert user not in division.validation.user
    assert user in division.test.user


def test_every_event_of_the_windows_can_be_asked_about_after_the_true_events(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, [*_steady(), *_LATE, *_EARLY])
    division = TemporalSplit(every_event=True).divide(interactions, SESSION_GAP_S)
    assert _asked_hours(interactions, division.validation) == [16, 17]
    assert _asked_hours(interactions, division.test) == [18, 19]
    assert len(division.test.user) == 4 * 2 * 2 + 1  # the late user's first event has no history
    assert (division.test.end - division.test.start == 1).all()
    data = _data(interactions, TemporalSplit(every_event=True))
    u0 = interactions.users.find("u0")
    own = [len(items) for items, user in zip(data.test.items, data.test.users, strict=True) if user == u0]
    assert own == [34, 34, 35, 35]  # "and" of hours 16 to 19 counts; i16 to i19 are in no training event


def test_a_refit_trains_up_to_the_test_window_and_has_no_validation(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, _steady())
    usual, refit = _data(interactions, TemporalSplit()), _data(interactions, TemporalSplit(0.9, 0.9))
    assert len(refit.validation) == 0
    assert refit.test.ask_times.tolist() == usual.test.ask_times.tolist()
    assert len(refit.catalogue) == 18 + 1
    assert len(_data(interactions, TemporalSplit(0.5, 0.6)).catalogue) == 10 + 1


@pytest.mark.parametrize(("train_until", "test_from"), [(0.9, 0.8), (0.0, 0.5), (0.5, 1.0), (-0.1, 0.5)])
def test_quantiles_that_do_not_rise_between_0_and_1_are_an_error(train_until: float, test_from: float) -> None:
    with pytest.raises(ValueError, match="must rise between 0 and 1"):
        TemporalSplit(train_until, test_from)


def test_items_of_no_training_event_are_misses_and_their_share_is_known(tmp_path: Path) -> None:
    rows = [event if event[2] != 16 * HOUR_S else ("u0", "new", event[2]) for event in _steady(users=2, distinct=5)]
    data = _data(_interactions(tmp_path, rows), TemporalSplit())
    assert data.validation.unknown_truth_share == 0.5
    assert data.test.unknown_truth_share == 0.0
    assert data.validation.truth_sizes.tolist() == [1, 1]


def test_history_length_percentiles_filter_who_trains_and_not_who_is_asked(tmp_path: Path) -> None:
    rows = [(user, item, time) for user, item, time in _steady() if time // HOUR_S >= 2 * int(user[1:])]
    interactions = _interactions(tmp_path, rows)
    some = _data(interactions, TemporalSplit(), min_user_history_length_percentile=1.0)
    assert len(some.events_offsets) - 1 == 1
    assert sorted(some.validation.users) == sorted(some.test.users) == [0, 1, 2, 3]


def test_nothing_to_validate_by_is_an_error(tmp_path: Path) -> None:
    rows = [(f"u{user}", f"i{hour}", 100 * HOUR_S * user + hour) for user in range(10) for hour in range(5)]
    with pytest.raises(DataError, match="leaves nobody to validate by"):
        _data(_interactions(tmp_path, rows), TemporalSplit())


_EVENT = st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 300))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(_EVENT, min_size=2, max_size=60), minute=st.integers(1, 20), cut=st.floats(0.05, 0.9))
def test_no_session_that_trains_starts_behind_the_cut_and_none_is_cut(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[int, int, int]], minute: int, cut: float
) -> None:
    rows = [(f"u{user}", f"i{item}", 60 * minute * time) for user, item, time in events]
    interactions = _interactions(tmp_path_factory.mktemp("property"), rows)
    division = TemporalSplit(cut, 0.95).divide(interactions, SESSION_GAP_S)
    assert division.rule is not None
    times = interactions.timestamp
    last_before = np.sort(times)[int((len(times) - 1) * cut)]
    for user in range(len(interactions.users)):
        whole = interactions.history(user)
        started = whole.start
        for row in range(whole.start, whole.stop):
            if row > whole.start and times[row] - times[row - 1] > division.rule.session_gap_s:
                started = row
            assert (row < division.training_ends[user]) == (times[started] <= last_before)
    assert (times[division.validation.start] > last_before).all()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000))
def test_whatever_happens_behind_the_cut_changes_nothing_in_the_training_data(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    folder, rng = tmp_path_factory.mktemp("property"), random.Random(seed)
    before = _interactions(folder, make_interactions(12, 25, 20, seed=seed))
    ends = TemporalSplit().divide(before, SESSION_GAP_S).training_ends
    rows: Rows = []
    for user, end in enumerate(ends):
        later = rng.randrange(10 * HOUR_S)
        for row in range(before.offsets[user], before.offsets[user + 1]):
            item, time = before.items[int(before.item[row])], int(before.timestamp[row])
            if row >= end:
                item, time = rng.choice([f"i{rng.randrange(20)}", "new"]), time + later
            rows.append((before.users[user], item, time))
    after = _interactions(folder, rows)
    assert after.fingerprint != before.fingerprint
    assert _learnt_from(before) == _learnt_from(after)


def _learnt_from(interactions: Interactions) -> tuple[object, ...]:
    """All of the training data that a model learns from, with items by their names."""
    data = _data(interactions, TemporalSplit())
    names = np.array([interactions.items[int(item)] for item in data.catalogue])
    arrays = (data.events_time, data.events_offsets, data.positions.features, data.positions.target_features)
    learnt = [names[data.events_item - 1], names[data.positions.target - 1], *arrays]
    return [array.tolist() for array in learnt], data.rule, data.half_life_days
