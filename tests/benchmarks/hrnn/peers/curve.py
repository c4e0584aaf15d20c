"""What one training cost, epoch by epoch, and how good it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Curve:
    """E epochs of one training; measuring is not in the times.

    Attributes:
        events: Targets that an epoch learns from.
        cpu_s: Processor seconds of training up to the end of each epoch [E].
        wall_s: Seconds of the wall clock, likewise [E].
        ndcg: NDCG@10 on validation after each epoch [E].
        peak_mb: Largest resident memory of the process, data and libraries included.
        capped: Whether the training ended for want of time, and not by its own rule.
    """

    events: int
    cpu_s: NDArray[np.float64]
    wall_s: NDArray[np.float64]
    ndcg: NDArray[np.float64]
    peak_mb: float
    capped: bool = False

    def figures(self) -> Mapping[str, NDArray[Any]]:
        """All of it as arrays."""
        return {name: np.array(value) for name, value in vars(self).items()}

    @classmethod
    def of(cls, figures: Mapping[str, NDArray[Any]]) -> Curve:
        """Inverse of `figures`."""
        cpu_s, wall_s, ndcg = figures["cpu_s"], figures["wall_s"], figures["ndcg"]
        peak_mb, capped = float(figures["peak_mb"]), bool(figures["capped"])
        return cls(int(figures["events"]), cpu_s, wall_s, ndcg, peak_mb, capped)

    @property
    def epoch_cpu_s(self) -> float:
        """Processor seconds of an epoch, the median."""
        return float(np.median(np.diff(self.cpu_s, prepend=0.0)))

    @property
    def epoch_wall_s(self) -> float:
        """Seconds of an epoch on the wall clock, the median."""
        return float(np.median(np.diff(self.wall_s, prepend=0.0)))

    def cpu_s_to(self, ndcg: float) -> float:
        """Processor seconds until validation was first that good; infinite when it never was."""
        reached = np.flatnonzero(self.ndcg >= ndcg)
        return float(self.cpu_s[reached[0]]) if len(reached) else float("inf")


def traced(
    title: str,
    events: int,
    train_epoch: Callable[[int], object],
    measure: Callable[[], float],
    epochs: int,
    patience: int,
) -> Curve:
    """Trains in this process until validation has not improved for some epochs.

    Args:
        title: Is printed with every epoch.
        events: Targets that an epoch learns from.
        train_epoch: Takes the epoch's number, from 1.
        measure: Gives NDCG@10 on validation.
        epochs: At most.
        patience: Epochs without improvement after which training ends.
    """
    cpu_s, wall_s, ndcg = [0.0], [0.0], list[float]()
    for epoch in range(1, epochs + 1):
        cpu, wall = time.process_time(), time.monotonic()
        train_epoch(epoch)
        cpu_s.append(cpu_s[-1] + time.process_time() - cpu)
        wall_s.append(wall_s[-1] + time.monotonic() - wall)
        ndcg.append(measure())
        print(f"{title}: epoch {epoch}, NDCG@10 {ndcg[-1]:.4f}, {cpu_s[-1]:.1f} CPU s", flush=True)
        if epoch - int(np.argmax(ndcg)) > patience:
            break
    return Curve(events, np.array(cpu_s[1:]), np.array(wall_s[1:]), np.array(ndcg), peak_mb())


def peak_mb() -> float:
    """Largest resident memory of this program in MB; unlike ``getrusage``, without its parent's before it started."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
