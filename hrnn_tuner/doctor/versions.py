"""What is installed here."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from hrnn_tuner import __version__
from hrnn_tuner.doctor.contract import Finding, ok, problem, warning

#: What the generated code can be loaded with: pyproject.toml has the same.
_PROTOBUF = ((6, 31, 1), (8,))
_SHOWN = ("protobuf", "grpcio", "sqlalchemy", "pika", "torch", "botorch")
_MISSING = "not installed"


def parts(text: str) -> tuple[int, ...]:
    """The numbers at the beginning of a version: 2.13.0+cpu is (2, 13, 0)."""
    found: list[int] = []
    for part in text.split("+")[0].split("."):
        if not part.isdecimal():
            break
        found.append(int(part))
    return tuple(found)


def check() -> Sequence[Finding]:
    """Says what is installed; a protobuf that cannot load the contract is a problem.

    Without the extra ``bayesian`` a scheduler draws at random where it was asked for a model, and says so in each
    explanation only; whether a scheduler runs here cannot be told.
    """
    found = {}
    for name in _SHOWN:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = _MISSING
    listed = ", ".join(f"{name} {number}" for name, number in found.items())
    text = f"hrnn-tuner {__version__}, Python {platform.python_version()}, {listed}"
    low, high = _PROTOBUF
    if not low <= parts(found["protobuf"]) < high:
        return [problem(text, "install another protobuf: pip install 'protobuf>=6.31.1,<8'")]
    if found["botorch"] == _MISSING:
        here = "without botorch a scheduler proposes at random in place of BAYESIAN and BAYESIAN_ASHA"
        advice = "where a scheduler runs, install the extra: pip install 'hrnn-tuner[bayesian]'"
        return [ok(text), warning(here, advice)]
    return [ok(text)]
