"""Draws shares of a whole as bars."""

from __future__ import annotations

WIDTH = 24


def stacked_bar(first: float, both: float, width: int = WIDTH) -> str:
    """A bar of two parts: solid up to ``first``, shaded up to ``both``.

    Args:
        first: Share of the solid part, 0 to 1.
        both: Share of both parts, 0 to 1.
        width: Characters of the whole.
    """
    solid = round(min(max(first, 0.0), 1.0) * width)
    drawn = max(solid, round(min(max(both, 0.0), 1.0) * width))
    return "█" * solid + "░" * (drawn - solid)
