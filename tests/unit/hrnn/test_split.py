from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hrnn_tuner.algorithms.contract import DataError
from tests.support.interactions import write_rows
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.preparation import Interactions
from worker_service.hrnn.data.split import Role, assign_roles, held_out, select_training_users
from worker_service.hrnn.data.vocabulary import Vocabulary


def _vocabulary(count: int) -> Vocabulary:
    ids = pa.array([f"user{number}" for number in range(count)], pa.large_string()).cast(pa.large_binary())
    return Vocabulary.encode(ids)[0]


def _interactions(tmp_path: Path, lengths: list[int]) -> Interactions:
    """User u<n> has ``lengths[n]`` events."""
    rows = [(f"u{user:03}", f"i{n}", n) for user, length in enumerate(lengths) for n in range(length)]
    return load_interactions(str(write_rows(tmp_path / "data.csv", rows)), None)


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
    assert held_out(length) == expected


def test_the_full_percentile_range_keeps_everybody(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, list(range(1, 21)))
    roles = np.zeros(20, np.int8)
    assert select_training_users(interactions, roles, 0.0, 1.0).tolist() == list(range(20))


def test_percentiles_drop_short_and_long_histories_and_keep_their_bounds(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, list(range(1, 12)))  # lengths 1 .. 11, quantile p at 1 + 10 p
    kept = select_training_users(interactions, np.zeros(11, np.int8), 0.2, 0.7)
    assert (kept + 1).tolist() == [3, 4, 5, 6, 7, 8]


def test_percentiles_between_two_lengths_round_outward(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, list(range(1, 12)))
    kept = select_training_users(interactions, np.zeros(11, np.int8), 0.25, 0.75)
    assert (kept + 1).tolist() == [3, 4, 5, 6, 7, 8, 9]


def test_percentiles_are_of_training_users_only_and_filter_no_others(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, [2, 3, 4, 50, 60, 70])
    roles = np.array([0, 0, 0, 1, 2, 1], np.int8)
    assert select_training_users(interactions, roles, 0.0, 1.0).tolist() == [0, 1, 2]
    assert select_training_users(interactions, roles, 1.0, 1.0).tolist() == [2]


def test_percentiles_in_the_wrong_order_are_an_error_with_both_values(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, [2, 3])
    with pytest.raises(
        DataError, match=r"min_.*_percentile is 0\.9 and max_.*_percentile is 0\.1; the minimum must not"
    ):
        select_training_users(interactions, np.zeros(2, np.int8), 0.9, 0.1)


def test_percentiles_that_leave_no_history_of_two_events_are_an_error(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, [1, 1, 1, 8])
    with pytest.raises(DataError, match="no training user with at least 2 interactions is left between"):
        select_training_users(interactions, np.zeros(4, np.int8), 0.0, 0.3)


def test_no_training_users_at_all_are_an_error(tmp_path: Path) -> None:
    interactions = _interactions(tmp_path, [5, 5])
    with pytest.raises(DataError, match="no training user"):
        select_training_users(interactions, np.ones(2, np.int8), 0.0, 1.0)
