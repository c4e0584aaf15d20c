"""Data files for requests, and what the API finds wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hrnn_tuner.client import InvalidRequestError
from tests.support.api import Api
from tests.support.bad_requests import FIRST

CHANNEL = f"{FIRST}.data_channels[0]"
Maker = Callable[[Path], Path]


def violations(api: Api, spec: dict[str, object]) -> list[tuple[str, str]]:
    """What the API finds wrong with a request, as (field, description); checks that nothing was stored."""
    with pytest.raises(InvalidRequestError) as caught:
        api.client.create_tuning_job(spec)
    assert api.names == [], "nothing was stored"
    return [(item.field, item.description) for item in caught.value.violations]


def file_of(name: str, content: bytes) -> Maker:
    """Makes a file."""

    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def folder_of(*files: Maker) -> Maker:
    """Makes a folder of files."""

    def make(folder: Path) -> Path:
        (folder / "many").mkdir()
        for file in files:
            file(folder / "many")
        return folder / "many"

    return make
