"""Looks at the database all the time: invariants at every revision, and how long recoveries take."""

from __future__ import annotations

import threading
import time
from datetime import datetime

import grpc
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from hrnn_tuner.client.channel import open_channel, stub_for
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.store import Store
from hrnn_tuner.store.schema import tuning_jobs, workers
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.chaos.cluster import Cluster
from tests.chaos.findings import Findings
from tests.chaos.recoveries import Recoveries, Wait
from tests.chaos.schedule import APIS, SCHEDULERS, WORKERS
from tests.support.event_log import EventLogChecker

_PAUSE_S = 0.1
_PAGE = 500
_PROBE_TIMEOUT_S = 1.0
_MEMORY_PAUSE_S = 2.0
#: A target that makes no progress for so long after the end of its fault does not recover by itself.
RECOVERY_LIMIT_S = 100.0


class Monitor(threading.Thread):
    """Owns a direct connection to the database, which no fault but the database's own touches.

    Attributes:
        logs: A checker for each tuning job by id.
    """

    def __init__(self, cluster: Cluster, findings: Findings, recoveries: Recoveries) -> None:
        super().__init__(name="chaos-monitor", daemon=True)
        self.logs: dict[str, EventLogChecker] = {}
        self._cluster = cluster
        self._findings = findings
        self._store = Store(cluster.database_url)
        self._stubs = {name: stub_for(open_channel(address, None)) for name, address in cluster.addresses.items()}
        self._recoveries = recoveries
        self._over = threading.Event()
        self._weigh_at = 0.0
        self._last_event = utc_now()

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
        """Reads what is new of every log; few questions, and cheap ones, as a busy machine makes recoveries long."""
        with self._store._reader.connect() as connection:  # no repository lists these
            found = connection.execute(select(tuning_jobs.c.id, tuning_jobs.c.revision)).all()
        for job_id, revision in found:
            log = self.logs.get(job_id)
            if log is not None and log.revision >= revision:
                continue
            with self._store.read() as tx:
                if log is None:
                    job = tx.tuning_jobs.get(job_id)
                    assert job is not None, f"tuning job {job_id} was deleted"
                    log = self.logs[job_id] = EventLogChecker(job)
                while log.revision < revision:
                    entries = tx.events.after(job_id, log.revision, limit=_PAGE)
                    log.feed(entries)
                    self._last_event = max([self._last_event, *(entry.at for entry in entries)])

    def _check_recoveries(self) -> None:
        waits = self._recoveries.waits()
        if not waits:
            return
        with self._store._reader.connect() as connection:  # no repository lists these
            seen = {row.id: row.seen_at for row in connection.execute(select(workers.c.id, workers.c.seen_at))}
        for target, wait in waits.items():
            if self._progressed(target, wait, seen):
                self._recoveries.progressed(wait)

    def _progressed(self, target: str, wait: Wait, seen: dict[str, datetime]) -> bool:
        """An API answers, a worker is heard of, or, for anything else, some tuning job goes on."""
        if target in APIS:
            return self._answers(target)
        if target in WORKERS:
            pid = self._cluster.services[target].process.pid
            return any(f"-{pid}-" in worker and at > wait.since for worker, at in seen.items())
        return self._last_event > wait.since

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
        if (late := self._recoveries.overdue(RECOVERY_LIMIT_S)) is not None:
            raise AssertionError(f"{late.fault.target} did not recover within {RECOVERY_LIMIT_S:g} s of {late.fault}")
