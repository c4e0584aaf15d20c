from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hrnn_tuner.algorithms import DataChannel, DataError
from hrnn_tuner.domain.search_space import Value
from tests.support.interactions import write_interactions, write_rows
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import TrainingData, training_data
from worker_service.hrnn.data.preparation import Interactions
from worker_service.hrnn.data.queries import Asked
from worker_service.hrnn.data.split import (
    Role,
    Split,
    TemporalSplit,
    Truth,
    UserHoldout,
    assign_roles,
    select_training_users,
)
from worker_service.hrnn.data.vocabulary import Vocabulary
from worker_service.hrnn.settings import HrnnSettings

SESSION_GAP_S = 1800


def _vocabulary(count: int) -> Vocabulary:
    ids = pa.array([f"user{number}" for number in range(count)], pa.large_string()).cast(pa.large_binary())
    return Vocabulary.encode(ids)[0]


def _interactions(tmp_path: Path, lengths: list[int]) -> Interactions:
    """User u<n> has ``lengths[n]`` events."""
    rows = [(f"u{user:03}", f"i{n}", n) for user, length in enumerate(lengths) for n in range(length)]
    return load_interactions(DataChannel(str(write_rows(tmp_path / "data.csv", rows))), None)


def _learnable(tmp_path: Path) -> Interactions:
    path = write_interactions(tmp_path / "learnable.csv", users=60, events_per_user=30, items=40, seed=1)
    return load_interactions(DataChannel(str(path)), None)


def _data(interactions: Interactions, split: Split | None = None, **hyperparameters: Value) -> TrainingData:
    return training_data(interactions, HrnnSettings.from_hyperparameters(hyperparameters), 1, split)


def _lengths(asked: Asked) -> list[int]:
    lengths: list[int] = (asked.end - asked.start).tolist()
    return lengths


def test_eight_of_ten_users_train_one_validates_and_one_tests() -> None:
    roles = assign_roles(_vocabulary(20_000), np.full(20_000, 5), split_seed=1)
    shares = np.bincount(roles) / len(roles)
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.01)


def test_the_split_seed_alone_decides_who_gets_which_role() -> None:
    users, lengths = _vocabulary(500), np.full(500, 5)
    assert (assign_roles(users, lengths, 1) == assign_roles(users, lengths, 1)).all()
    assert (assign_roles(users, lengths, 1) != assign_roles(users, lengths, 2)).any()


def test_a_role_does_not_depend_on_the_other_users() -> None:
    few, many = _vocabulary(300), _vocabulary(900)
    roles_of_few = assign_roles(few, np.full(300, 5), 7)
    roles_of_many = assign_roles(many, np.full(900, 5), 7)
    assert all(roles_of_few[number] == roles_of_many[many.find(user) or 0] for number, user in enumerate(few))


def test_there_is_always_a_validation_user_with_two_events() -> None:
    for seed in range(50):
        roles = assign_roles(_vocabulary(5), np.array([2, 2, 1, 1, 1]), seed)
        assert (roles[:2] == Role.VALIDATION).any()


@pytest.mark.parametrize(("length", "expected"), [(2, 1), (9, 1), (19, 1), (20, 2), (105, 10)])
def test_the_newest_tenth_is_held_out_but_at_least_one_event(length: int, expected: int) -> None:
    assert Truth.NEWEST_TENTH.sizes(np.array([length])).tolist() == [expected]


def test_the_last_item_alone_can_be_held_out() -> None:
    assert Truth.LAST_ITEM.sizes(np.array([2, 20, 105])).tolist() == [1, 1, 1]


def test_held_out_users_are_asked_about_the_end_of_their_history_and_train_nothing(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, [30] * 60)
    roles = assign_roles(interactions.users, np.full(60, 30), split_seed=1)
    division = UserHoldout(1).divide(interactions, SESSION_GAP_S)
    for role, asked in ((Role.VALIDATION, division.validation), (Role.TEST, division.test)):
        assert asked.user.tolist() == np.flatnonzero(roles == role).tolist()
        assert asked.end.tolist() == (30 * asked.user + 30).tolist()
        assert set(_lengths(asked)) == {3}
    trained = division.training_ends - interactions.offsets[:-1]
    assert trained.tolist() == np.where(roles == Role.TRAIN, 30, 0).tolist()


def test_with_the_last_item_as_truth_one_event_of_each_held_out_user_is_asked_for(tmp_path: Path) -> None:
    division = UserHoldout(1, Truth.LAST_ITEM).divide(_interactions(tmp_path, [30] * 60), SESSION_GAP_S)
    assert set(_lengths(division.validation)) == set(_lengths(division.test)) == {1}


def test_users_with_one_event_are_not_asked_about(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, [1, 5] * 40)
    division = UserHoldout(1).divide(interactions, SESSION_GAP_S)
    assert (np.concatenate((division.validation.user, division.test.user)) % 2 == 1).all()


def test_without_validation_its_users_train_and_the_test_users_stay(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, [10] * 60)
    usual = UserHoldout(3).divide(interactions, SESSION_GAP_S)
    refit = UserHoldout(3, has_validation=False).divide(interactions, SESSION_GAP_S)
    assert not len(refit.validation.user)
    assert refit.test.user.tolist() == usual.test.user.tolist()
    added = np.flatnonzero(refit.training_ends != usual.training_ends)
    assert added.tolist() == usual.validation.user.tolist()


def test_the_full_percentile_range_keeps_everybody() -> None:
    assert select_training_users(np.arange(1, 21), 0.0, 1.0).tolist() == list(range(20))


def test_percentiles_drop_short_and_long_histories_and_keep_their_bounds() -> None:
    kept = select_training_users(np.arange(1, 12), 0.2, 0.7)  # lengths 1 .. 11, quantile p at 1 + 10 p
    assert (kept + 1).tolist() == [3, 4, 5, 6, 7, 8]


def test_percentiles_between_two_lengths_round_outward() -> None:
    kept = select_training_users(np.arange(1, 12), 0.25, 0.75)
    assert (kept + 1).tolist() == [3, 4, 5, 6, 7, 8, 9]


def test_percentiles_are_of_training_users_only() -> None:
    lengths = np.array([2, 3, 4, 0, 0, 0])
    assert select_training_users(lengths, 0.0, 1.0).tolist() == [0, 1, 2]
    assert select_training_users(lengths, 0.0, 0.0).tolist() == [0]


def test_percentiles_in_the_wrong_order_are_an_error_with_both_values() -> None:
    with pytest.raises(
        DataError, match=r"min_.*_percentile is 0\.9 and max_.*_percentile is 0\.1; the minimum must not"
    ):
        select_training_users(np.array([2, 3]), 0.9, 0.1)


def test_percentiles_that_leave_no_history_of_two_events_are_an_error() -> None:
    with pytest.raises(DataError, match="no training user with at least 2 interactions is left between"):
        select_training_users(np.array([1, 1, 1, 8]), 0.0, 0.3)


def test_no_training_users_at_all_are_an_error() -> None:
    with pytest.raises(DataError, match="no training user"):
        select_training_users(np.zeros(2, np.int64), 0.0, 1.0)


def test_the_hyperparameters_choose_the_split_and_the_truth(tmp_path: Path) -> None:
    interactions = _learnable(tmp_path)
    usual = _data(interactions)
    assert usual is _data(interactions, UserHoldout(1))
    assert set(usual.validation.truth_sizes) <= {1, 2, 3}
    assert usual.validation.truth_sizes.max() > 1
    last = _data(interactions, truth="last_item")
    assert last is _data(interactions, UserHoldout(1, Truth.LAST_ITEM))
    assert set(last.validation.truth_sizes) == {1}
    temporal = training_data(interactions, HrnnSettings.from_hyperparameters({"split": "temporal"}), 1)
    assert temporal is _data(interactions, TemporalSplit())


def test_data_of_different_splits_are_kept_apart(tmp_path: Path) -> None:
    interactions = _learnable(tmp_path)
    splits: list[Split] = [
        UserHoldout(1),
        UserHoldout(2),
        UserHoldout(1, Truth.LAST_ITEM),
        UserHoldout(1, has_validation=False),
    ]
    kept = [_data(interactions, split) for split in splits]
    assert len({id(data) for data in kept}) == 4
    assert all(_data(interactions, split) is data for split, data in zip(splits, kept, strict=True))
    temporal = [_data(interactions, split) for split in (TemporalSplit(), TemporalSplit(every_event=True))]
    assert temporal[0] is not temporal[1]


def test_training_histories_are_found_by_their_offsets(tmp_path: Path) -> None:
    interactions = _learnable(tmp_path)
    for split in (UserHoldout(1), TemporalSplit()):
        data = _data(interactions, split)
        assert data.events_offsets[0] == 0
        assert data.events_offsets[-1] == len(data.events_item) == len(data.events_time)
        assert np.diff(data.events_offsets).tolist() == (np.diff(data.positions.offsets) + 1).tolist()
        firsts = data.positions.item[data.positions.offsets[:-1]]
        assert firsts.tolist() == data.events_item[data.events_offsets[:-1]].tolist()
