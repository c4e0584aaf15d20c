"""Which items count as new."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hrnn_tuner.algorithms import DataChannel
from hrnn_tuner.algorithms.contract import DataError
from hrnn_tuner.algorithms.hrnn_coldstart import ALGORITHM
from tests.support.interactions import write_rows
from tests.support.metadata import vocabulary_of
from worker_service.hrnn.data import cold_items
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.cold_items import ColdItemRule
from worker_service.hrnn.data.metadata.item_records import UNKNOWN_TIME
from worker_service.hrnn.data.preparation import Interactions, with_listed_items
from worker_service.hrnn.data.sessions import DAY_S

NOW = 1000 * DAY_S
DEFAULTS = ColdItemRule(15, 5.0, "latestItem")


@pytest.fixture
def any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold_items, "MIN_COLD_ITEMS", 0)


def _used(folder: Path, events: dict[str, list[float]], listed: list[str]) -> Interactions:
    """Items used at these days, and the items that the items data list."""
    rows = [(f"u{place}", item, int(day * DAY_S)) for item, days in events.items() for place, day in enumerate(days)]
    plain = load_interactions(DataChannel(str(write_rows(folder / "events.csv", rows))), None)
    return with_listed_items(plain, vocabulary_of(listed))


def _found(rule: ColdItemRule, interactions: Interactions, created: list[float | None], now: int = NOW) -> list[str]:
    times = np.array([UNKNOWN_TIME if day is None else int(day * DAY_S) for day in created])
    cold = rule.find(interactions, times, now)
    return [interactions.items[int(item)] for item in np.flatnonzero(cold)]


def test_the_defaults_are_those_of_the_published_recipe() -> None:
    assert ColdItemRule.from_hyperparameters(ALGORITHM.defaults()) == DEFAULTS


@pytest.mark.usefixtures("any_number")
def test_a_cold_item_has_few_interactions_of_which_the_first_is_near_that_of_the_latest_item(tmp_path: Path) -> None:
    events = {"old": [990.0, 999.9], "edge": [994.9], "latest": [999.9], "used": [999.5] * 3, "past": [994.8, 999.0]}
    interactions = _used(tmp_path, events, sorted(events))
    assert _found(ColdItemRule(2, 5.0, "latestItem"), interactions, [None] * 5) == ["edge", "latest"]
    assert _found(ColdItemRule(3, 5.0, "latestItem"), interactions, [None] * 5) == ["edge", "latest", "used"]
    assert _found(ColdItemRule(2, 9.9, "latestItem"), interactions, [None] * 5) == ["edge", "latest", "old", "past"]


@pytest.mark.usefixtures("any_number")
def test_ages_count_to_the_current_time_on_wish(tmp_path: Path) -> None:
    interactions = _used(tmp_path, {"a": [990.0], "b": [993.0]}, ["a", "b"])
    rule = ColdItemRule(15, 5.0, "currentTime")
    assert _found(rule, interactions, [None, None], now=994 * DAY_S) == ["a", "b"]
    assert _found(rule, interactions, [None, None], now=997 * DAY_S) == ["b"]
    assert _found(DEFAULTS, interactions, [None, None], now=10**6 * DAY_S) == ["a", "b"]


@pytest.mark.usefixtures("any_number")
def test_the_time_of_creation_comes_before_the_first_interaction(tmp_path: Path) -> None:
    interactions = _used(tmp_path, {"a": [999.0], "b": [999.0]}, ["a", "b"])
    assert _found(DEFAULTS, interactions, [1.0, None]) == ["b"]
    assert _found(DEFAULTS, interactions, [1.0, 999.5]) == ["b"]


@pytest.mark.usefixtures("any_number")
def test_an_item_that_nobody_used_is_as_old_as_its_creation_and_new_without_one(tmp_path: Path) -> None:
    interactions = _used(tmp_path, {"a": [999.0]}, ["a", "fresh", "stale", "unknown"])
    assert _found(DEFAULTS, interactions, [None, 998.0, 10.0, None]) == ["a", "fresh", "unknown"]


@pytest.mark.usefixtures("any_number")
def test_an_item_outside_the_items_data_is_never_cold(tmp_path: Path) -> None:
    interactions = _used(tmp_path, {"a": [999.0], "b": [999.0]}, ["a"])
    assert _found(DEFAULTS, interactions, [None]) == ["a"]


@pytest.mark.parametrize("count", [99, 80_001])
def test_too_few_and_too_many_cold_items_are_an_error_that_says_how_many(tmp_path: Path, count: int) -> None:
    interactions = _used(tmp_path, {"a": [999.0]}, ["a", *(f"n{item}" for item in range(count - 1))])
    says = (
        f"there are {count} cold items: items of the items data with at most 15 interactions that appeared at most 5 "
        r"days before the latest item; allowed: 100 to 80,000 \(cold_start_max_interactions and"
    )
    with pytest.raises(DataError, match=says):
        _found(DEFAULTS, interactions, [None] * count)


def test_a_hundred_cold_items_are_enough(tmp_path: Path) -> None:
    interactions = _used(tmp_path, {"a": [999.0]}, ["a", *(f"n{item}" for item in range(99))])
    assert len(_found(DEFAULTS, interactions, [None] * 100)) == 100
