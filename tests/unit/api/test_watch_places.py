from __future__ import annotations

from contextlib import ExitStack

import pytest

from api_service.watch_places import WatchPlaces
from hrnn_tuner.domain.errors import LimitExceeded


def test_places_are_counted_by_project_and_together_and_come_back() -> None:
    places = WatchPlaces(per_project=2, together=3)
    with ExitStack() as held:
        for project in ("red", "red", "blue"):
            held.enter_context(places.one(project))
        with pytest.raises(LimitExceeded, match="2 Watch streams of this project are open; allowed: 2") as caught:
            held.enter_context(places.one("red"))
        assert caught.value.metadata == {"limit": "2", "used": "2"}
        with pytest.raises(LimitExceeded, match="3 Watch streams of this server are open; allowed: 3"):
            held.enter_context(places.one("green"))
        assert places.used == 3
    assert places.used == 0
    with places.one("red"), places.one("red"):
        assert places.used == 2


def test_a_stream_that_fails_gives_its_place_back() -> None:
    places = WatchPlaces(per_project=1, together=1)
    for _ in range(3):
        with pytest.raises(RuntimeError), places.one("red"):
            raise RuntimeError
    assert places.used == 0
