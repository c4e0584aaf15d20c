"""Text that no database, environment or file system takes: strings with a NUL character, anywhere in a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.message import Message

from api_service.validation.findings import Findings

_NUL = "\0"


def collect(message: Message, findings: Findings) -> None:
    """Adds every string field and map entry that contains a NUL character."""
    for path in _with_nul(message, ""):
        findings.wrong(path, "contains a NUL character; allowed: text without it", "NUL_CHARACTER")


def _with_nul(value: Any, path: str) -> Iterator[str]:
    """Paths of the strings with a NUL in a message, a list, a map or a string."""
    if isinstance(value, Message):
        for field, item in value.ListFields():
            yield from _with_nul(item, f"{path}.{field.name}" if path else field.name)
    elif isinstance(value, str):
        if _NUL in value:
            yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            place = f'{path}["{key}"]'
            if isinstance(key, str) and _NUL in key:
                yield place
            yield from _with_nul(item, place)
    elif not isinstance(value, (bool, int, float, bytes)):
        for index, item in enumerate(value):
            yield from _with_nul(item, f"{path}[{index}]")
