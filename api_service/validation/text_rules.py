"""Text that no database, environment or file system takes: strings with a NUL character, anywhere in a request."""

from __future__ import annotations

from google.protobuf.message import Message

from api_service.findings import Findings
from hrnn_tuner.wire_texts import placed_texts

_NUL = "\0"


def collect(message: Message, findings: Findings) -> None:
    """Adds every string field and map entry that contains a NUL character."""
    for item in placed_texts(message):
        if _NUL in item.text:
            findings.wrong(item.path, "contains a NUL character; allowed: text without it", "NUL_CHARACTER")
