from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from hrnn_tuner.algorithms import DataChannel, DataError
from tests.support.interactions import make_interactions, write_interactions, write_rows
from worker_service.hrnn.data import cache
from worker_service.hrnn.data.cache import forget_in_process, load_interactions
from worker_service.hrnn.data.preparation import Interactions, check_trainable
from worker_service.hrnn.data.vocabulary import Vocabulary


def _load(path: Path, rows: list[tuple[str, str, int]]) -> Interactions:
    return load_interactions(DataChannel(str(write_rows(path, rows))), None)


def _history(interactions: Interactions, user: str) -> list[tuple[str, int]]:
    number = interactions.users.find(user)
    assert number is not None
    rows = interactions.history(number)
    return [
        (interactions.items[item], int(time))
        for item, time in zip(interactions.item[rows], interactions.timestamp[rows], strict=True)
    ]


@pytest.fixture
def no_source_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: object, channel: DataChannel) -> None:
        raise AssertionError(f"the source was read again: {channel}")

    monkeypatch.setattr(cache, "read_interactions", refuse)


def test_histories_are_sorted_by_time_and_equal_times_keep_the_order_of_the_file(tmp_path: Path) -> None:
    rows = [("b", "z", 5), ("a", "y", 9), ("a", "q", 3), ("a", "c", 3), ("a", "x", 1)]
    interactions = _load(tmp_path / "data.csv", rows)
    assert _history(interactions, "a") == [("x", 1), ("q", 3), ("c", 3), ("y", 9)]
    assert _history(interactions, "b") == [("z", 5)]


def test_exact_duplicates_are_dropped_wherever_they_stand(tmp_path: Path) -> None:
    rows = [("a", "x", 1), ("a", "y", 1), ("a", "x", 1), ("a", "x", 2), ("b", "x", 1)]
    interactions = _load(tmp_path / "data.csv", rows)
    assert _history(interactions, "a") == [("x", 1), ("y", 1), ("x", 2)]
    assert interactions.duplicates == 1


def test_ids_are_found_by_name_and_unknown_ones_are_not(tmp_path: Path) -> None:
    interactions = _load(tmp_path / "data.csv", [("ü", "x", 1), ("a", "y", 1), ("zz", "x", 2)])
    assert list(interactions.users) == ["a", "zz", "ü"]
    assert [interactions.users.find(user) for user in ("a", "zz", "ü", "b", "", "~")] == [0, 1, 2, None, None, None]


def test_an_empty_vocabulary_finds_nothing() -> None:
    assert Vocabulary(np.zeros(0, np.uint8), np.zeros(1, np.int64)).find("a") is None


def test_the_fingerprint_follows_the_content_and_not_the_format(tmp_path: Path) -> None:
    rows = make_interactions(5, 5, 5, seed=0)
    plain = _load(tmp_path / "data.csv", rows)
    assert _load(tmp_path / "data.csv.gz", rows).fingerprint == plain.fingerprint
    assert _load(tmp_path / "other.csv", rows[:-1]).fingerprint != plain.fingerprint


def test_a_second_preparation_in_the_process_reads_nothing(
    tmp_path: Path, interactions_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_interactions(DataChannel(str(interactions_path)), tmp_path)
    monkeypatch.setattr(cache, "read_interactions", None)
    assert load_interactions(DataChannel(str(interactions_path)), tmp_path) is first


def test_another_process_reads_the_prepared_data_and_not_the_source(
    tmp_path: Path, interactions_path: Path, request: pytest.FixtureRequest
) -> None:
    first = load_interactions(DataChannel(str(interactions_path)), tmp_path)
    forget_in_process()
    request.getfixturevalue("no_source_reads")
    second = load_interactions(DataChannel(str(interactions_path)), tmp_path)
    assert second.fingerprint == first.fingerprint
    assert isinstance(second.item, np.memmap)
    assert (second.item == first.item).all()
    assert list(second.users) == list(first.users)


def test_a_changed_source_is_read_again(tmp_path: Path) -> None:
    path = write_interactions(tmp_path / "data.csv", seed=0)
    first = load_interactions(DataChannel(str(path)), tmp_path / "cache")
    write_interactions(path, seed=1)
    os.utime(path, ns=(1, 1))  # whatever the clock's resolution, the change shows
    assert load_interactions(DataChannel(str(path)), tmp_path / "cache").fingerprint != first.fingerprint


def test_the_same_content_elsewhere_shares_the_prepared_data(tmp_path: Path, interactions_path: Path) -> None:
    load_interactions(DataChannel(str(interactions_path)), tmp_path / "cache")
    copy = Path(shutil.copy(interactions_path, tmp_path / "copy.csv"))
    load_interactions(DataChannel(str(copy)), tmp_path / "cache")
    entries = [entry.name for entry in (tmp_path / "cache" / "hrnn").iterdir() if entry.name != "sources"]
    assert len(entries) == 1


def test_damaged_prepared_data_are_made_anew(tmp_path: Path, interactions_path: Path) -> None:
    first = load_interactions(DataChannel(str(interactions_path)), tmp_path)
    forget_in_process()
    broken = tmp_path / "hrnn" / first.fingerprint / "item.npy"
    broken.unlink()
    broken.write_bytes(b"\x93NUMPY cut short")
    second = load_interactions(DataChannel(str(interactions_path)), tmp_path)
    assert second.item.tolist() == first.item.tolist()
    forget_in_process()
    assert isinstance(load_interactions(DataChannel(str(interactions_path)), tmp_path).item, np.memmap)


def test_too_few_interactions_are_an_error_with_both_numbers(tmp_path: Path) -> None:
    interactions = _load(tmp_path / "data.csv", make_interactions(4, 3, 5, seed=0))
    with pytest.raises(DataError, match=r"^data has 12 interactions; at least 1000 are needed$"):
        check_trainable(interactions, DataChannel("data"))


def test_dropped_duplicates_are_mentioned_where_they_matter(tmp_path: Path) -> None:
    interactions = _load(tmp_path / "data.csv", make_interactions(4, 3, 5, seed=0) * 2)
    with pytest.raises(DataError, match="has 12 interactions after 12 exact duplicates were dropped"):
        check_trainable(interactions, DataChannel("data"))


def test_too_few_users_with_two_events_are_an_error_with_both_numbers(tmp_path: Path) -> None:
    rows = make_interactions(24, 50, 5, seed=0) + [(f"once{user}", "i1", 1) for user in range(30)]
    interactions = _load(tmp_path / "data.csv", rows)
    with pytest.raises(DataError, match="has 24 users with at least 2 interactions; at least 25 are needed"):
        check_trainable(interactions, DataChannel("data"))


def test_a_file_with_a_header_only_has_zero_interactions(tmp_path: Path) -> None:
    interactions = load_interactions(DataChannel(str(write_rows(tmp_path / "data.csv", []))), tmp_path / "cache")
    with pytest.raises(DataError, match="has 0 interactions"):
        check_trainable(interactions, DataChannel("data"))
