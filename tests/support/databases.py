"""A fresh database of each supported kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hrnn_tuner.store import Store
from tests.support.tuning import open_store, sqlite_url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database; the test runs once per kind."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    return str(request.getfixturevalue("postgres_database"))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A store with the current schema."""
    opened = open_store(database_url)
    yield opened
    opened.close()
