"""What is measured, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.control_plane.history import Histories


@dataclass(frozen=True)
class Plan:
    """The options of a run.

    Attributes:
        sizes: Training jobs that a tuning job has when it is measured.
        clients: How many training jobs run at a time, or how many processes of Optuna.
        window_s: How long each figure is measured.
        streams: Watch streams while metric points are counted.
        histories: Where tuning jobs come from.
    """

    sizes: tuple[int, ...]
    clients: tuple[int, ...]
    window_s: float
    streams: int
    histories: Histories


def quantiles_ms(seconds: list[float]) -> str:
    """Median and 95th percentile by nearest rank, in milliseconds."""
    if not seconds:
        return "-"
    ordered = sorted(seconds)
    p50, p95 = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95))
    return f"{1000 * p50:.1f} / {1000 * p95:.1f}"
