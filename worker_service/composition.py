"""Puts a worker together: the one place where its parts meet."""

from __future__ import annotations

import os
import re
import secrets
import socket
from collections.abc import Callable

from hrnn_tuner.broker.contract import Broker
from hrnn_tuner.settings import Settings
from worker_service.attempt import Attempts
from worker_service.control import ControlListener
from worker_service.heartbeat import Heartbeat
from worker_service.messages import Setup
from worker_service.reports import Reporter
from worker_service.scratch import Scratch
from worker_service.slot import Slot
from worker_service.supervisor import Supervisor


def new_worker_id() -> str:
    """An id in ``[a-z0-9.-]`` that names host and process and is never used again."""
    host = re.sub(r"[^a-z0-9.-]", "-", socket.gethostname().lower())
    return f"{host}-{os.getpid()}-{secrets.token_hex(4)}"


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _setup(settings: Settings, slot: int) -> Setup:
    return Setup(
        slot=slot,
        threads=max(1, _cores() // settings.worker_slots),
        devices=list(settings.worker_devices),
        algorithms=list(settings.algorithms),
        cache_dir=str(settings.cache_dir),
        log_format=settings.log_format,
        log_level=settings.log_level,
        warm_up=settings.worker_warm_up,
    )


def build_worker(
    settings: Settings,
    broker: Broker,
    *,
    worker_id: str | None = None,
    on_single_task: Callable[[], None] | None = None,
) -> Supervisor:
    """Builds a worker on a broker that the caller owns and closes after `Supervisor.stop`.

    Installs no signal handlers and sets up no logging, so that any process can embed it.

    Args:
        settings: The worker's settings.
        broker: Its link; must have the queue of ``settings.worker_resource_class``.
        worker_id: Its id; a new one by default.
        on_single_task: For a worker of one slot that takes one task: called when that has ended or none came.
    """
    worker_id = worker_id or new_worker_id()
    attempts = Attempts()
    # One for each slot: a slot's reports stay in order, and slots that end together do not wait for each other.
    reporters = [Reporter(broker, worker_id) for _ in range(settings.worker_slots)]
    scratch = Scratch()
    slots = [
        Slot(
            _setup(settings, index),
            worker_id=worker_id,
            settings=settings,
            broker=broker,
            attempts=attempts,
            reporter=reporters[index],
            scratch=scratch,
            on_single_task=on_single_task,
        )
        for index in range(settings.worker_slots)
    ]
    heartbeat = Heartbeat(
        broker,
        worker_id,
        settings.worker_resource_class,
        slots=settings.worker_slots,
        attempts=attempts,
        interval_s=settings.heartbeat_interval_s,
    )
    return Supervisor(
        worker_id,
        slots=slots,
        control=ControlListener(broker, worker_id, attempts),
        reporters=reporters,
        heartbeat=heartbeat,
        scratch=scratch,
    )
