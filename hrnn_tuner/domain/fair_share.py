"""Weighted max-min fair share of a class of workers between tuning jobs."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: Training jobs that may wait in the queue beyond the live slots, so that a freed slot finds one without a round trip
#: and an autoscaler sees demand when there is no worker at all; at least this many, and this part of the slots.
READY_BUFFER_MINIMUM = 2
READY_BUFFER_FRACTION = 0.25


@dataclass(frozen=True)
class Demand:
    """What a tuning job holds and wants.

    Attributes:
        tuning_job_id: The tuning job.
        resource_class: Class of workers that it needs.
        weight: Its share relative to others, at least 1.
        active: Training jobs in flight.
        wanted: Training jobs that its own limits allow to launch now.
    """

    tuning_job_id: str
    resource_class: str
    weight: int
    active: int
    wanted: int


def shares(demands: Iterable[Demand], slots: Mapping[str, int]) -> dict[str, int]:
    """How many training jobs each tuning job may launch now.

    The next place always goes to the job with the fewest active training jobs per weight, ties to the lower id, so the
    result does not depend on the order of the demands.

    Args:
        demands: All tuning jobs in progress.
        slots: Live slots by resource class.

    Returns:
        A positive number for each job that may launch; others are absent.
    """
    by_class: dict[str, list[Demand]] = {}
    for demand in demands:
        by_class.setdefault(demand.resource_class, []).append(demand)
    granted: dict[str, int] = {}
    for name, members in by_class.items():
        live = slots.get(name, 0)
        buffer = max(READY_BUFFER_MINIMUM, int(live * READY_BUFFER_FRACTION))
        budget = live + buffer - sum(member.active for member in members)
        queue = [(member.active / member.weight, member.tuning_job_id, member) for member in members if member.wanted]
        heapq.heapify(queue)
        while budget > 0 and queue:
            _, job_id, member = heapq.heappop(queue)
            taken = granted[job_id] = granted.get(job_id, 0) + 1
            budget -= 1
            if taken < member.wanted:
                heapq.heappush(queue, ((member.active + taken) / member.weight, job_id, member))
    return granted
