"""Makes lines of what a trainer writes: complete ones, of a bounded length, without the secrets of its environment."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable

#: Longest line, in bytes; of a longer one this much is kept.
MAX_LINE_BYTES = 4096
_CUT = " [cut]"
_HIDDEN = b"***"
#: Shorter values, like a number of threads, are no secrets, and would make holes in every line.
_MIN_SECRET_BYTES = 6
_LINE_END = re.compile(rb"[\r\n]")


class Source(enum.Enum):
    """Who wrote a line."""

    STDOUT = "STDOUT"
    STDERR = "STDERR"
    WORKER = "WORKER"


class Mask:
    """Hides the values of environment variables, which may be passwords."""

    def __init__(self, values: Iterable[str]) -> None:
        """Takes the values; of one with several lines, each counts."""
        lines = {line.strip().encode() for value in values for line in value.splitlines()}
        self._secrets = sorted((line for line in lines if len(line) >= _MIN_SECRET_BYTES), key=len, reverse=True)

    @property
    def longest(self) -> int:
        """Bytes of the longest value that is hidden."""
        return len(self._secrets[0]) if self._secrets else 0

    def hide(self, line: bytes) -> bytes:
        """The line without the values."""
        for secret in self._secrets:
            line = line.replace(secret, _HIDDEN)
        return line

    def applied(self, text: str) -> str:
        """The same of text, as one line of bounded length."""
        return _shortened(self.hide(" ".join(text.splitlines()).encode(errors="replace")))


def _shortened(line: bytes, *, cut: bool = False) -> str:
    """The line as text; NUL, which databases refuse, and what is no UTF-8 become replacement characters."""
    text = line.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    if not cut and len(text.encode()) <= MAX_LINE_BYTES:
        return text
    return text.encode()[: MAX_LINE_BYTES - len(_CUT)].decode(errors="ignore") + _CUT


class LineSplitter:
    """Cuts one stream into lines; empty ones are left out. Used by one thread at a time."""

    def __init__(self, emit: Callable[[str], None], mask: Mask) -> None:
        """Takes what is called with each line."""
        self._emit = emit
        self._mask = mask
        # Enough that no secret at the end of what is kept is seen in part: a part would not be recognized.
        self._room = MAX_LINE_BYTES + 2 * mask.longest
        self._held = bytearray()
        self._overlong = False

    def feed(self, data: bytes) -> None:
        """Takes the next bytes; a carriage return ends a line as well, so that a progress bar is no endless one."""
        *complete, rest = _LINE_END.split(data)
        for part in complete:
            self._hold(part)
            self.finish()
        self._hold(rest)

    def finish(self) -> None:
        """Ends the line, though its end was not written."""
        line, overlong = self._mask.hide(bytes(self._held)), self._overlong
        self._held.clear()
        self._overlong = False
        if overlong and self._mask.longest:
            line = line[: -self._mask.longest]  # may be the first part of a secret
        if line:
            self._emit(_shortened(line, cut=overlong))

    def _hold(self, part: bytes) -> None:
        """Keeps what there is room for."""
        room = self._room - len(self._held)
        self._overlong = self._overlong or len(part) > room
        self._held += part[:room]
