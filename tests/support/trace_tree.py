"""Draws the spans of one trace as a tree, from what processes with ``OTEL_TRACES_EXPORTER=console`` print.

python -m tests.support.trace_tree TRACE_ID LOG...
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

Span = dict[str, Any]
#: Attributes that are worth a place in the picture.
_SHOWN = ("rpc.grpc.status_code", "training_job", "attempt", "outcome")


def spans_in(text: str) -> Iterator[Span]:
    """The spans that a service printed, between the lines of its log."""
    decoder = json.JSONDecoder()
    for match in re.finditer(r'^\{\n    "name"', text, re.MULTILINE):
        try:
            yield decoder.raw_decode(text, match.start())[0]
        except json.JSONDecodeError:
            continue  # it is still being written


def trace_tree(trace_id: str, spans: Iterable[Span]) -> list[str]:
    """A line for each span of a trace, those that another led to below it; times from the first span's start."""
    own = [span for span in spans if span["context"]["trace_id"] == f"0x{trace_id}"]
    ids = {span["context"]["span_id"] for span in own}
    children: dict[str | None, list[Span]] = defaultdict(list)
    for span in sorted(own, key=_began):
        children[span["parent_id"] if span["parent_id"] in ids else None].append(span)
    first = min(map(_began, own), default=0.0)

    def lines(parent: str | None, depth: int) -> Iterator[str]:
        for span in children[parent]:
            yield _line(span, depth, first)
            yield from lines(span["context"]["span_id"], depth + 1)

    return list(lines(None, 0))


def _line(span: Span, depth: int, first: float) -> str:
    service = span["resource"]["attributes"]["service.name"].removeprefix("hrnn-tuner-")
    facts = " ".join(str(span["attributes"][name]) for name in _SHOWN if name in span["attributes"])
    name = "  " * depth + span["name"]
    began_ms, took_ms = 1000 * (_began(span) - first), 1000 * (_ended(span) - _began(span))
    return f"{name:42} {service:10} {began_ms:8.0f} ms {took_ms:+9.1f} ms  {facts}".rstrip()


def _began(span: Span) -> float:
    return datetime.fromisoformat(span["start_time"]).timestamp()


def _ended(span: Span) -> float:
    return datetime.fromisoformat(span["end_time"]).timestamp()


def main(arguments: Sequence[str]) -> None:
    """Prints the tree of a trace."""
    trace_id, *logs = arguments
    found = [span for log in logs for span in spans_in(Path(log).read_text(errors="replace"))]
    print("\n".join(trace_tree(trace_id, found)))


if __name__ == "__main__":
    main(sys.argv[1:])
