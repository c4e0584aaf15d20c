"""Looks at the database all the time: invariants at every revision, and how long recoveries take."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime

import grpc
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from hrnn_tuner.client.channel import open_channel, stub_for
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.store import Store, TuningJobQuery
from hrnn_tuner.store.schema import events, workers
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.chaos.cluster import REAL_WORKER, Cluster
from tests.chaos.findings import Findings
from tests.chaos.schedule import APIS, BROKER, DATABASE, SCHEDULERS, WORKERS, Fault
from tests.support.event_log import EventLogChecker

_PAUSE_S = 0.1
_PAGE = 500
_PROBE_TIMEOUT_S = 1.0
_MEMORY_PAUSE_S = 2.0
#: Those that most tuning jobs need.
SYNTHETIC_WORKERS = tuple(name for name in WORKERS if name != REAL_WORKER)
#: A target that makes no progress for so long after the end of its fault does not recover by itself.
RECOVERY_LIMIT_S = 100.0


@dataclass
class _Wait:
    """A target that should make progress again.

    Attributes:
        fault: What it should recover from.
        since: Progress after this time counts.
        began: From when on nothing else keeps it from making progress, see `Monitor._held_up`.
        beside: Other faults that began or ended meanwhile.
    """

    fault: Fault
    since: datetime
    began: float
    beside: list[str] = field(default_factory=list)


class Monitor(threading.Thread):
    """Owns a direct connection to the database, which no fault but the database's own touches.

    Attributes:
        logs: A checker for each tuning job by id.
    """

    def __init__(self, cluster: Cluster, findings: Findings) -> None:
        super().__init__(name="chaos-monitor", daemon=True)
        self.logs: dict[str, EventLogChecker] = {}
        self._cluster = cluster
        self._findings = findings
        self._store = Store(cluster.database_url)
        self._stubs = {name: stub_for(open_channel(address, None)) for name, address in cluster.addresses.items()}
        self._waits: dict[str, _Wait] = {}
        self._lock = threading.Lock()
        self._at_fault: set[str] = set()
        self._over = threading.Event()
        self._weigh_at = 0.0

    def begins(self, fault: Fault) -> None:
        """A target is hit: its recovery from an earlier fault cannot be told any more."""
        with self._lock:
            self._at_fault.add(fault.target)
            self._findings.superseded += self._waits.pop(fault.target, None) is not None
            for wait in self._waits.values():
                wait.beside.append(f"{fault.kind} {fault.target} began")

    def ended(self, fault: Fault) -> None:
        """A fault is over."""
        with self._lock:
            self._at_fault.discard(fault.target)
            for wait in self._waits.values():
                wait.beside.append(f"{fault.kind} {fault.target} ended")
            self._waits[fault.target] = _Wait(fault, utc_now(), time.monotonic())

    @property
    def recovered(self) -> bool:
        """Whether no target is waited for."""
        return not self._waits

    def finish(self) -> None:
        """Ends the thread."""
        self._over.set()
        self.join()
        self._store.close()

    def run(self) -> None:
        while not self._over.wait(_PAUSE_S):
            try:
                self._check_logs()
                self._check_recoveries()
                self._check_patience()
                self._weigh()
            except (ServiceUnavailable, OperationalError):
                continue  # the database is what recovers
            except Exception as error:  # noqa: BLE001 - a monitor that does not look any more would hide what is wrong
                self._findings.broke(f"{type(error).__name__}: {error}")
                return

    def _check_logs(self) -> None:
        with self._store.read() as tx:
            jobs = tx.tuning_jobs.page(TuningJobQuery(project=None), after=None, limit=10_000).rows
        for job in jobs:
            log = self.logs.setdefault(job.id, EventLogChecker(job))
            while log.revision < job.revision:
                with self._store.read() as tx:
                    log.feed(tx.events.after(job.id, log.revision, limit=_PAGE))

    def _check_recoveries(self) -> None:
        now = time.monotonic()
        with self._lock:
            waits = dict(self._waits)
            for target, wait in waits.items():
                if self._held_up(target):
                    wait.began = now
        if not waits:
            return
        with self._store._reader.connect() as connection:  # no repository lists these
            last_event = connection.execute(select(events.c.at).order_by(events.c.at.desc()).limit(1)).scalar()
            seen = {row.id: row.seen_at for row in connection.execute(select(workers.c.id, workers.c.seen_at))}
        for target, wait in waits.items():
            if self._progressed(target, wait, last_event, seen):
                seconds = time.monotonic() - wait.began
                with self._lock:
                    if self._waits.get(target) is wait:
                        del self._waits[target]
                        beside = f" ({', '.join(wait.beside)})" if wait.beside else ""
                        what = f"{wait.fault.kind} {target} {wait.fault.argument}".rstrip()
                        self._findings.recoveries.append((seconds, what + beside))

    def _held_up(self, target: str) -> bool:
        """Whether other faults keep a target from progress that can be seen.

        All need broker and database. A worker is heard of through a scheduler. For everything else, some tuning job has
        to go on: that takes a scheduler, a worker, and an API through which tuning jobs are created.
        """
        if self._at_fault & {BROKER, DATABASE}:
            return True
        if target in APIS:
            return False
        if self._at_fault.issuperset(SCHEDULERS):
            return True
        away = self._at_fault | (set(self._waits) - {target})
        return target not in WORKERS and (away.issuperset(APIS) or away.issuperset(SYNTHETIC_WORKERS))

    def _progressed(self, target: str, wait: _Wait, last_event: datetime | None, seen: dict[str, datetime]) -> bool:
        """An API answers, a worker is heard of, or, for anything else, some tuning job goes on."""
        if target in APIS:
            return self._answers(target)
        if target in WORKERS:
            pid = self._cluster.services[target].process.pid
            return any(f"-{pid}-" in worker and at > wait.since for worker, at in seen.items())
        return last_event is not None and last_event > wait.since

    def _answers(self, target: str) -> bool:
        try:
            self._stubs[target].ListTuningJobs(pb.ListTuningJobsRequest(page_size=1), timeout=_PROBE_TIMEOUT_S)
        except grpc.RpcError:
            return False
        return True

    def _weigh(self) -> None:
        """Notes the memory of the processes that keep nothing but what they work on."""
        if time.monotonic() < self._weigh_at:
            return
        self._weigh_at = time.monotonic() + _MEMORY_PAUSE_S
        for name in (*APIS, *SCHEDULERS):
            mib = self._cluster.resident_mib(name)
            if mib is not None:
                self._findings.resident(name.partition("-")[0], mib)

    def _check_patience(self) -> None:
        with self._lock:
            late = [wait for wait in self._waits.values() if time.monotonic() - wait.began > RECOVERY_LIMIT_S]
        for wait in late:
            raise AssertionError(f"{wait.fault.target} did not recover within {RECOVERY_LIMIT_S:g} s of {wait.fault}")
