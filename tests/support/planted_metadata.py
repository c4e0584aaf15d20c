"""Data in which metadata decide what comes next."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrnn_tuner.algorithms import DataChannel
from tests.support.tables import write_table

CATEGORIES = 4
START = 1_600_000_000
DAY_S = 86_400


@dataclass(frozen=True)
class Planted:
    """Files below one folder.

    Attributes:
        interactions: USER_ID, ITEM_ID, TIMESTAMP.
        users: USER_ID, SHELF and AGE: most of what a user takes stands on the user's shelf.
        items: ITEM_ID, CATEGORY, SHELF, PRICE and CREATION_TIMESTAMP: most events are followed by one with an item of
            the next category, any of them.
    """

    interactions: DataChannel
    users: DataChannel
    items: DataChannel

    def channels(self, *names: str) -> dict[str, DataChannel]:
        """Some of the channels by name."""
        return {name: getattr(self, name) for name in names}


def category_of(item: int) -> int:
    """The category of item ``i<item>``."""
    return item % CATEGORIES


def write_planted(
    folder: Path, *, users: int = 90, events: int = 14, items: int = 80, new_items: int = 0, seed: int = 0
) -> Planted:
    """Writes interactions with items ``i0`` to ``i<items - 1>``, and metadata of these and of new ones.

    New items are ``new0`` and so on; ``new<n>`` has category n mod 4 and shelf n // 4 mod 2, like the others. They came
    into being at the end, and nobody has used them.
    """
    folder.mkdir(exist_ok=True)
    rng = random.Random(seed)
    shelves = [rng.randrange(2) for _ in range(users)]
    rows: list[tuple[Any, ...]] = []
    for user in range(users):
        time, category = START + rng.randrange(DAY_S), rng.randrange(CATEGORIES)
        for _ in range(events):
            shelf = shelves[user] if rng.random() < 0.9 else rng.randrange(2)
            rows.append((f"u{user}", f"i{_item(rng, category, shelf, items)}", time))
            category = (category + 1) % CATEGORIES if rng.random() < 0.9 else rng.randrange(CATEGORIES)
            time += rng.randrange(1, 300) if rng.random() < 0.8 else rng.randrange(DAY_S, 3 * DAY_S)
    end = max(row[2] for row in rows)
    named = [(f"i{item}", item, START - DAY_S) for item in range(items)]
    named += [(f"new{item}", item, end) for item in range(new_items)]
    described = [
        (name, f"c{category_of(item)}", f"s{item // CATEGORIES % 2}", rng.random(), born) for name, item, born in named
    ]
    people = [(f"u{user}", f"s{shelves[user]}", 20 + rng.randrange(50)) for user in range(users)]
    header = ("ITEM_ID", "CATEGORY", "SHELF", "PRICE", "CREATION_TIMESTAMP")
    files = {
        "interactions": write_table(folder / "interactions.csv", ("USER_ID", "ITEM_ID", "TIMESTAMP"), rows),
        "users": write_table(folder / "users.csv", ("USER_ID", "SHELF", "AGE"), people),
        "items": write_table(folder / "items.csv", header, described),
    }
    return Planted(**{name: DataChannel(str(path)) for name, path in files.items()})


def write_planted_context(path: Path, *, users: int = 80, events: int = 14, items: int = 40, seed: int = 0) -> Path:
    """Writes interactions with a column DEVICE: even items are used on a ``tv`` and odd ones on a ``phone``."""
    rng = random.Random(seed)
    rows = []
    for user in range(users):
        time = START + rng.randrange(DAY_S)
        for _ in range(events):
            item = rng.randrange(items)
            rows.append((f"u{user}", f"i{item}", time, "phone" if item % 2 else "tv"))
            time += rng.randrange(1, 300) if rng.random() < 0.8 else rng.randrange(DAY_S, 3 * DAY_S)
    return write_table(path, ("USER_ID", "ITEM_ID", "TIMESTAMP", "DEVICE"), rows)


def _item(rng: random.Random, category: int, shelf: int, items: int) -> int:
    """Any item of a category on a shelf."""
    return rng.choice([item for item in range(category, items, CATEGORIES) if item // CATEGORIES % 2 == shelf])
