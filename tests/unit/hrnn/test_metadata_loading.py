"""Features from caches, and those of events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hrnn_tuner.algorithms import DataChannel
from tests.support.metadata import shares, vocabulary_of
from tests.support.tables import write_table
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.metadata import loading
from worker_service.hrnn.data.metadata.datasets import USERS
from worker_service.hrnn.data.metadata.features import EntityFeatures
from worker_service.hrnn.data.metadata.loading import load_context_features, load_entity_features

HEADER = ("USER_ID", "AGE", "JOB")
ROWS = [("a", 20, "nurse"), ("b", 40, "nurse"), ("c", None, "cook|nurse")]
IDS = ["a", "b", "c"]


@pytest.fixture
def users(tmp_path: Path) -> DataChannel:
    return DataChannel(str(write_table(tmp_path / "users.csv", HEADER, ROWS)))


def test_a_second_process_maps_the_features_and_reads_no_source(
    tmp_path: Path, users: DataChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load() -> EntityFeatures:
        return load_entity_features(users, USERS, vocabulary_of(IDS), tmp_path / "cache", min_count=1)

    first = load()
    assert load() is first
    loading.forget_in_process()
    monkeypatch.setattr(loading, "read_entities", None)
    second = load()
    assert (second.fingerprint, second.encoding) == (first.fingerprint, first.encoding)
    assert isinstance(second.rows.numbers, np.memmap)
    assert shares(second.encoding, second.rows) == shares(first.encoding, first.rows)


def test_features_are_kept_apart_by_everything_that_shapes_them(tmp_path: Path, users: DataChannel) -> None:
    cache, known = tmp_path / "cache", vocabulary_of(IDS)
    loads: list[Callable[[], EntityFeatures]] = [
        lambda: load_entity_features(users, USERS, known, cache, min_count=1),
        lambda: load_entity_features(users, USERS, known, cache, min_count=2),
        lambda: load_entity_features(users, USERS, known, cache, min_count=1, included=["JOB"]),
        lambda: load_entity_features(users, USERS, vocabulary_of(["a", "c"]), cache, min_count=1),
        lambda: load_entity_features(replace(users, columns={"YEARS": "AGE"}), USERS, known, cache, min_count=1),
    ]
    assert len({load().fingerprint for load in loads}) == len(loads)


def test_changed_metadata_are_read_again(tmp_path: Path, users: DataChannel) -> None:
    first = load_entity_features(users, USERS, vocabulary_of(IDS), tmp_path / "cache")
    write_table(Path(users.uri), HEADER, [*ROWS[:2], ("c", 30, "pilot and much more")])
    assert load_entity_features(users, USERS, vocabulary_of(IDS), tmp_path / "cache").fingerprint != first.fingerprint


EVENTS = ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "DEVICE", "HOUR")
EVENT_ROWS = [
    ("b", "x", 9, "watch", 1.0, "phone", 9),
    ("a", "y", 5, "watch", 2.0, "tv", 5),
    ("a", "x", 3, "click", 3.0, "phone", 3),
    ("a", "y", 5, "watch", 2.0, "laptop", 5),
    ("a", "z", 1, "watch", 4.0, None, 1),
]


@pytest.mark.parametrize("name", ["events.csv", "events.parquet"])
def test_the_context_of_events_stands_in_the_order_of_the_prepared_interactions(tmp_path: Path, name: str) -> None:
    channel = DataChannel(str(write_table(tmp_path / name, EVENTS, EVENT_ROWS)), event_type="watch")
    interactions = load_interactions(channel, None)
    assert interactions.timestamp.tolist() == [1, 5, 9]
    context = load_context_features(channel, tmp_path / "cache", min_count=1)
    assert shares(context.encoding, context.rows) == [{}, {("DEVICE", "tv"): 1.0}, {("DEVICE", "phone"): 1.0}]
    (hour,) = context.encoding.numbers
    found = context.rows.numbers[:, 0] * hour.deviation + hour.mean
    assert found.tolist() == pytest.approx([1, 5, 9], abs=1e-5)


def test_named_context_may_be_a_reserved_column(tmp_path: Path) -> None:
    channel = DataChannel(str(write_table(tmp_path / "events.csv", EVENTS, EVENT_ROWS)))
    context = load_context_features(channel, None, included=["EVENT_TYPE"], min_count=1)
    assert shares(context.encoding, context.rows) == [
        {("EVENT_TYPE", "watch"): 1.0},
        {("EVENT_TYPE", "click"): 1.0},
        {("EVENT_TYPE", "watch"): 1.0},
        {("EVENT_TYPE", "watch"): 1.0},
    ]


def test_interactions_need_no_context(tmp_path: Path) -> None:
    channel = DataChannel(str(write_table(tmp_path / "events.csv", EVENTS[:5], [row[:5] for row in EVENT_ROWS])))
    context = load_context_features(channel, tmp_path / "cache")
    assert (len(context.rows), context.encoding.number_width, context.encoding.feature_count) == (4, 0, 0)
