"""What a check is and what it finds."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: Seconds that a check may take, unless it says otherwise.
LIMIT_S = 5.0


class Severity(enum.Enum):
    """How bad it is."""

    OK = "OK"
    WARNING = "WARNING"  #: it works, or cannot be told from here
    PROBLEM = "PROBLEM"  #: it does not work


@dataclass(frozen=True)
class Finding:
    """One fact.

    Attributes:
        severity: How bad it is.
        text: What was found.
        advice: What to do about it; empty when nothing is to be done.
    """

    severity: Severity
    text: str
    advice: str = ""


def ok(text: str) -> Finding:
    """A finding that is fine."""
    return Finding(Severity.OK, text)


def warning(text: str, advice: str) -> Finding:
    """A finding that somebody should know."""
    return Finding(Severity.WARNING, text, advice)


def problem(text: str, advice: str) -> Finding:
    """A finding that something does not work."""
    return Finding(Severity.PROBLEM, text, advice)


@dataclass(frozen=True)
class Check:
    """Something to look at.

    Attributes:
        name: What is looked at.
        run: Looks. Whatever it raises is a problem; it may hang.
        advice: What to do when it raises or hangs.
        limit_s: Seconds after which it is given up.
    """

    name: str
    run: Callable[[], Sequence[Finding]]
    advice: str
    limit_s: float = LIMIT_S
