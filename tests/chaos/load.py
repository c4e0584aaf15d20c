"""Tuning jobs that run all the time, seen as a client sees them."""

from __future__ import annotations

import base64
import json
import random
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from hrnn_tuner.client import (
    AlreadyExistsError,
    DeadlineExceededError,
    FailedPreconditionError,
    ServerError,
    TuningClient,
    UnavailableError,
)
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.tuning_job_pb2 import TuningJob
from tests.chaos.cluster import REAL_CLASS
from tests.chaos.findings import Findings
from tests.support.specifications import hrnn_spec, synthetic_spec

_T = TypeVar("_T")
_RETRY_S = 0.2
#: More than every other tuning job stops training jobs early, pauses them and goes on with some, or asks a model.
_LEVELS = {"strategy_config": {"hyperband": {"min_resource": 1}}}
_SEARCHES: tuple[dict[str, Any], ...] = (
    {},
    {},
    {},
    {"training_job_early_stopping_type": "TRAINING_JOB_EARLY_STOPPING_TYPE_AUTO"},
    {"strategy": "STRATEGY_HYPERBAND", **_LEVELS},
    {"strategy": "STRATEGY_ASHA", **_LEVELS},
    {"strategy": "STRATEGY_BAYESIAN"},
)
#: A client's call that is longer without an answer than this has hit upon a defect.
PATIENCE_S = 120.0


class Lane(threading.Thread):
    """One tuning job after the other, each watched from its beginning to its end.

    Attributes:
        names: The tuning jobs that were created.
        current: The one that runs.

    Args:
        name: Prefix of the tuning jobs' names.
        target: Address of the API.
        findings: What takes note of what is wrong.
        seed: Of everything that is drawn.
        interactions: For the real algorithm; None for the synthetic one.
    """

    def __init__(
        self, name: str, target: str, findings: Findings, *, seed: int, interactions: Path | None = None
    ) -> None:
        super().__init__(name=f"chaos-{name}", daemon=True)
        self.names: list[str] = []
        self.current = ""
        self._prefix = name
        self._findings = findings
        self._rng = random.Random(f"{seed}/{name}")
        self._interactions = interactions
        self._client = TuningClient(target, timeout_s=10.0)
        self._over = threading.Event()

    def finish(self) -> None:
        """Starts no further tuning job."""
        self._over.set()

    def run(self) -> None:
        try:
            while not self._over.is_set() and not self._findings.failed.is_set():
                self._one()
        except Exception as error:  # noqa: BLE001 - whatever a client meets with is a finding
            if not self._findings.failed.is_set():
                self._findings.broke(f"{self.current}: {type(error).__name__}: {error}")
        finally:
            self._client.close()

    def _one(self) -> None:
        name = f"{self._prefix}-{len(self.names)}"
        spec = self._spec(name)
        request_id = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        self.current = name
        self.names.append(name)
        created = self._call(lambda: self._client.create_tuning_job(spec, request_id=request_id)).tuning_job
        if self._rng.random() < 0.3:
            self._repeat(spec, request_id, created)
        stop_after = self._rng.randint(5, 40) if self._rng.random() < 0.2 else None
        events = []
        for event in self._client.watch_tuning_job(name, max_unavailable_s=None, timeout_s=PATIENCE_S * 10):
            events.append(event)
            if len(events) == stop_after:
                self._ask_to_stop(name)
        self._check(name, events)

    def _repeat(self, spec: dict[str, Any], request_id: str, created: TuningJob) -> None:
        """The same request again is the same tuning job; another one under its id is an error."""
        again = self._call(lambda: self._client.create_tuning_job(spec, request_id=request_id)).tuning_job
        assert again.create_time == created.create_time, "the same request created another tuning job"
        other = {**spec, "name": f"{spec['name']}x"}
        try:
            self._call(lambda: self._client.create_tuning_job(other, request_id=request_id))
        except AlreadyExistsError:
            return
        raise AssertionError("a request id was accepted for two tuning jobs")

    def _ask_to_stop(self, name: str) -> None:
        try:
            self._call(lambda: self._client.stop_tuning_job(name))
        except FailedPreconditionError:
            return  # it had ended

    def _check(self, name: str, events: list[pb.WatchTuningJobResponse]) -> None:
        """What was watched equals what can be read."""
        revisions = [_revision(event.resume_token) for event in events]
        assert revisions == list(range(1, len(revisions) + 1)), "the stream lost or repeated events"
        last = [event.tuning_job for event in events if event.WhichOneof("event") == "tuning_job"][-1]
        read = self._call(lambda: self._client.get_tuning_job(name))
        for job in (last, read):
            job.ClearField("runtime_in_seconds")
        assert last == read, "the last event is not what Get answers"
        shown = {item.training_job.name: item.training_job for item in events if item.HasField("training_job")}
        listed = {job.name: job for job in self._call(lambda: list(self._client.list_training_jobs(name)))}
        assert shown == listed, "the events about training jobs do not add up to the list"

    def _call(self, call: Callable[[], _T]) -> _T:
        """Repeats a call while the API is away."""
        give_up_at = time.monotonic() + PATIENCE_S
        while True:
            try:
                return call()
            except (UnavailableError, DeadlineExceededError):
                if time.monotonic() > give_up_at or self._findings.failed.is_set():
                    raise
            except ServerError:
                if time.monotonic() > self._findings.errors_until:
                    raise
            time.sleep(_RETRY_S)

    def _spec(self, name: str) -> dict[str, Any]:
        rng = self._rng
        if self._interactions is not None:
            spec = hrnn_spec(name, self._interactions, max_training_jobs=3)
            spec["training_job_definitions"][0]["resource_class"] = REAL_CLASS
            return spec
        spec = synthetic_spec(
            name,
            max_training_jobs=rng.randint(4, 12),
            max_parallel=rng.randint(1, 4),
            epochs=rng.randint(2, 6),
            epoch_seconds=rng.choice([0.0, 0.05, 0.2]),
        )
        spec["random_seed"] = str(rng.randint(1, 1000))
        return spec | rng.choice(_SEARCHES)


def _revision(token: str) -> int:
    """The revision in a resume token."""
    return int(json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))[1])
