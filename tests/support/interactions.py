"""Synthetic interactions for tests."""

from __future__ import annotations

import csv
import gzip
import io
import random
from pathlib import Path

HEADER = ("USER_ID", "ITEM_ID", "TIMESTAMP")


def make_interactions(users: int, events_per_user: int, items: int, seed: int) -> list[tuple[str, str, int]]:
    """Histories that a sequence model can learn from: most events go on to the next item of a ring.

    Events come in sessions with short gaps inside and a day or more between; no two events of a user are at the same
    time, so there are exactly ``users * events_per_user`` of them.
    """
    rng = random.Random(seed)
    rows = []
    for user in range(users):
        item = rng.randrange(items)
        time = 1_600_000_000 + rng.randrange(30 * 86_400)
        for _ in range(events_per_user):
            rows.append((f"u{user}", f"i{item}", time))
            item = (item + 1) % items if rng.random() < 0.8 else rng.randrange(items)
            time += rng.randrange(1, 300) if rng.random() < 0.8 else rng.randrange(86_400, 3 * 86_400)
    rng.shuffle(rows)
    return rows


def write_interactions(path: Path, users: int = 60, events_per_user: int = 20, items: int = 40, seed: int = 0) -> Path:
    """Writes such interactions as CSV, gzipped when the name ends in ``.gz``; returns the path."""
    return write_rows(path, make_interactions(users, events_per_user, items, seed))


def write_rows(path: Path, rows: list[tuple[str, str, int]]) -> Path:
    """Writes given interactions as CSV, gzipped when the name ends in ``.gz``; returns the path."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path
