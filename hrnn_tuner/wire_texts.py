"""Every text in a protobuf message, with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message


@dataclass(frozen=True)
class PlacedText:
    """A string of a message.

    Attributes:
        path: Its field, e.g. ``tuning_job.tags["team"]``.
        text: The string.
        container: The field of the map that it is a key of, or a value in; empty elsewhere.
        key: The key of the entry of that map.
        is_key: Whether it is the key itself.
    """

    path: str
    text: str
    container: str = ""
    key: str = ""
    is_key: bool = False


def placed_texts(message: Message) -> Iterator[PlacedText]:
    """All strings of a message, those in lists, maps and messages within it included."""
    return _below(message, "")


def _below(value: Any, path: str, container: str = "", key: str = "") -> Iterator[PlacedText]:
    if isinstance(value, Message):
        for field, item in value.ListFields():
            yield from _below(item, f"{path}.{field.name}" if path else field.name, container, key)
    elif isinstance(value, str):
        yield PlacedText(path, value, container, key)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            place = f'{path}["{name}"]'
            if isinstance(name, str):
                yield PlacedText(place, name, path, name, is_key=True)
            yield from _below(item, place, path, str(name))
    elif not isinstance(value, (bool, int, float, bytes)):
        for index, item in enumerate(value):
            yield from _below(item, f"{path}[{index}]", container, key)
