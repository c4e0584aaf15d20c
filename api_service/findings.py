"""Collects what is wrong with a request, and what its sender should know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from hrnn_tuner.domain.errors import InvalidRequest, Violation


@dataclass
class Findings:
    """Violations and warnings; paths are relative to the request."""

    violations: list[Violation] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def wrong(self, path: str, description: str, reason: str = "INVALID_VALUE") -> None:
        """A field is wrong, unless something is wrong with it already."""
        if all(known.field != path for known in self.violations):
            self.violations.append(Violation(path, description, reason))

    def also_wrong(self, path: str, description: str, reason: str) -> None:
        """A field is wrong, perhaps for more than one reason."""
        self.violations.append(Violation(path, description, reason))

    def below(self, path: str) -> bool:
        """Whether something is wrong with a field or a part of it."""
        return any(known.field == path or known.field.startswith((f"{path}.", f"{path}[")) for known in self.violations)

    def warn(self, text: str) -> None:
        """Something that is allowed and probably not meant."""
        self.warnings.append(text)

    def raise_if_any(self) -> None:
        """Ends the request when something is wrong.

        Raises:
            InvalidRequest: With every violation.
        """
        if self.violations:
            raise InvalidRequest(self.violations)


def among(given: str, known: Iterable[str]) -> str:
    """Text for an unknown name: the name, the closest known one, and all known ones."""
    names = list(known)
    close = get_close_matches(given, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"got {given!r}; {hint}allowed: {', '.join(names) or 'none'}"
