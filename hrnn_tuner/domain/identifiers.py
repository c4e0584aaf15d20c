"""Identifiers: unique, and sorted by the time at which they were made."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import datetime

_RANDOM_BITS = 74


def time_ordered_id(now: datetime, randbits: Callable[[int], int] = secrets.randbits) -> str:
    """A UUID of version 7 (RFC 9562, section 5.7): 48 bits of milliseconds since 1970, then randomness.

    Args:
        now: The time, aware.
        randbits: Draws so many random bits.
    """
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    noise = randbits(_RANDOM_BITS)
    high, low = noise >> 62, noise & ((1 << 62) - 1)
    return str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low))
