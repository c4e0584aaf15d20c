"""What an attempt leaves in metrics, traces and logs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from opentelemetry.trace import SpanKind

from hrnn_tuner.telemetry import inject, span
from hrnn_tuner.telemetry.worker_metrics import ATTEMPTS, SLOTS_BUSY, TRAINING_DURATION
from worker_service.attempt import Attempt


@dataclass
class Observation:
    """How an attempt ended, as a label; set by who runs it.

    Attributes:
        outcome: ``completed``, ``failed``, ``stopped``, ``lost`` or ``superseded``.
    """

    outcome: str = "superseded"


@contextmanager
def observed(attempt: Attempt) -> Iterator[Observation]:
    """Observes an attempt while it runs; its later reports carry the span's context. On the slot's thread."""
    key = attempt.key
    ids: dict[str, str | int] = {
        "tuning_job_id": key.tuning_job_id,
        "training_job": attempt.assignment.training_job_name,
        "attempt": key.attempt,
    }
    observation = Observation()
    began = time.monotonic()
    SLOTS_BUSY.inc()
    try:
        with (
            span("train", SpanKind.CONSUMER, parent=attempt.headers, attributes=ids) as current,
            structlog.contextvars.bound_contextvars(**ids),
        ):
            attempt.headers = inject() or attempt.headers
            yield observation
            current.set_attribute("outcome", observation.outcome)
    except Exception:
        observation.outcome = "lost"  # the slot reports it so
        raise
    finally:
        SLOTS_BUSY.dec()
        ATTEMPTS.labels(observation.outcome).inc()
        TRAINING_DURATION.labels(observation.outcome).observe(time.monotonic() - began)
