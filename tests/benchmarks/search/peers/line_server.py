"""Serves a search over standard input and output, one JSON object a line; it runs in the peer's own environment.

Requests: ``{"op": "start", "sampler", "seed", "space"}``, ``{"op": "ask", "number"}``, ``{"op": "tell", "number",
"value"}``, ``{"op": "add", "number", "configuration", "value"}``. Every answer has ``cpu_s`` and ``wall_s``, and that
to ask has the ``configuration``. What a tool prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Search(Protocol):
    """One search with one tool."""

    def ask(self, number: int) -> Mapping[str, Any]:
        """A configuration without the parameters that do not apply."""

    def tell(self, number: int, value: float) -> None:
        """The value to be minimised."""

    def add(self, number: int, configuration: Mapping[str, Any], value: float) -> None:
        """One that was not asked for."""


def applies(parameter: Mapping[str, Any], configuration: Mapping[str, Any]) -> bool:
    """Whether a parameter is part of a configuration that has all parameters before it."""
    condition = parameter["condition"]
    return condition is None or configuration.get(condition["name"]) in condition["values"]


def serve(start: Callable[[str, int, list[dict[str, Any]]], Search]) -> None:
    """Answers requests until the input ends.

    Args:
        start: Starts a search with the name of a sampler, a seed and a space.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    search: Search | None = None
    for line in sys.stdin:
        request = json.loads(line)
        answer: dict[str, Any] = {}
        cpu, wall = time.process_time(), time.monotonic()
        if request["op"] == "start":
            search = start(request["sampler"], request["seed"], request["space"])
        elif search is None:
            raise SystemExit("the first request must be 'start'")
        elif request["op"] == "ask":
            answer["configuration"] = dict(search.ask(request["number"]))
        elif request["op"] == "tell":
            search.tell(request["number"], request["value"])
        elif request["op"] == "add":
            search.add(request["number"], request["configuration"], request["value"])
        else:
            raise SystemExit(f"unknown request {request['op']!r}")
        answer["cpu_s"], answer["wall_s"] = time.process_time() - cpu, time.monotonic() - wall
        answers.write(json.dumps(answer) + "\n")
