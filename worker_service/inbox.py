"""Everything that can happen to a slot, in one queue: the slot's thread waits here and nowhere else."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass
from typing import TypeAlias

from hrnn_tuner.broker.contract import Delivery
from worker_service.messages import PipeMessage
from worker_service.trainer_link import TrainerLink


@dataclass(frozen=True)
class Delivered:
    """A task came."""

    delivery: Delivery


@dataclass(frozen=True)
class TrainerSaid:
    """A trainer process sent a message."""

    link: TrainerLink
    message: PipeMessage


@dataclass(frozen=True)
class TrainerGone:
    """A trainer process ended."""

    link: TrainerLink
    how: str
    out_of_memory: bool = False


Event: TypeAlias = Delivered | TrainerSaid | TrainerGone


class Inbox:
    """An unbounded queue with a wake-up. Any thread puts, one thread gets."""

    def __init__(self) -> None:
        """Starts empty."""
        self._queue: queue.SimpleQueue[Event | None] = queue.SimpleQueue()

    def put(self, event: Event) -> None:
        """Adds an event."""
        self._queue.put(event)

    def wake(self) -> None:
        """Makes one `get` return None: a flag has changed."""
        self._queue.put(None)

    def get(self, deadline: float | None = None) -> Event | None:
        """Waits for the next event; None after a wake-up or at ``deadline`` (`time.monotonic`)."""
        try:
            if deadline is None:
                return self._queue.get()
            return self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None

    def get_nowait(self) -> Event | None:
        """The next event or wake-up if one waits, else None."""
        return self.get(0.0)

    def empty(self) -> bool:
        """Whether nothing waits."""
        return self._queue.empty()
