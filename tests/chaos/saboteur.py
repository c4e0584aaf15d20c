"""Makes the faults of a schedule: one at a time on each target, many at a time in all."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from tests.chaos.cluster import VHOST, Cluster
from tests.chaos.findings import Findings
from tests.chaos.schedule import APIS, BROKER, DATABASE, PROCESSES, Fault

_POLL_S = 0.1
_READY_TIMEOUT_S = 20.0
#: What each kind of process logs when it has begun to work.
_READY = {"api": b"API listens", "scheduler": b"scheduler started", "worker": b"trainer is warm"}
_JOIN_TIMEOUT_S = 180.0


class Saboteur:
    """A thread for each target.

    Attributes:
        made: The faults of the schedule as they were made.

    Args:
        cluster: What suffers.
        findings: What takes note.
        on_begin: Called with each fault just before it is made; also with those that belong to another one.
        on_ended: Called with each of them when it is over and its target should recover.
    """

    def __init__(
        self,
        cluster: Cluster,
        findings: Findings,
        *,
        on_begin: Callable[[Fault], None],
        on_ended: Callable[[Fault], None],
    ) -> None:
        self._cluster = cluster
        self._findings = findings
        self._on_begin = on_begin
        self._on_ended = on_ended
        self._queues: dict[str, queue.SimpleQueue[Fault | None]] = {
            target: queue.SimpleQueue() for target in (*PROCESSES, BROKER, DATABASE)
        }
        self._idle = {target: threading.Event() for target in self._queues}
        self._busy = {target: threading.Lock() for target in self._queues}
        self._released = threading.Event()
        self._began = 0.0
        self.made: list[Fault] = []
        self._threads = [
            threading.Thread(target=self._serve, args=(target,), name=f"chaos-{target}", daemon=True)
            for target in self._queues
        ]

    def start(self) -> None:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def inflict(self, fault: Fault) -> None:
        """Has a fault made as soon as the one before on its target is over."""
        self._queues[fault.target].put(fault)

    def finish(self) -> None:
        """Waits until all faults are over."""
        for waiting in self._queues.values():
            waiting.put(None)
        for target, idle in self._idle.items():
            if not idle.wait(_JOIN_TIMEOUT_S):
                self._findings.broke(f"{target}: a fault did not end")

    def release(self) -> None:
        """Ends the threads, and with the broker's the broker: the kernel ends it with the thread that started it."""
        self._released.set()

    def _serve(self, target: str) -> None:
        while (fault := self._queues[target].get()) is not None:
            if self._findings.failed.is_set():
                continue
            # Faults that wait make this one shorter, so that all of them fit into the time of the run.
            fault = replace(fault, seconds=round(fault.seconds / (1 + self._queues[target].qsize()), 2))
            with self._busy[target]:
                self._check_alive(target)
                self.made.append(replace(fault, at_s=round(time.monotonic() - self._began, 3)))
                self._on_begin(fault)
                try:
                    getattr(self, f"_{fault.kind}")(fault)
                except Exception as error:  # noqa: BLE001 - a fault that cannot be made ends the run
                    self._findings.broke(f"{fault}: {error!r}")
                self._findings.made(fault.kind, target)
                self._on_ended(fault)
        self._idle[target].set()
        self._released.wait()

    def _check_alive(self, target: str) -> None:
        """No process ends by itself."""
        if target in PROCESSES and (code := self._cluster.services[target].process.poll()) is not None:
            self._findings.broke(f"{target} ended by itself with status {code}")

    def _kill(self, fault: Fault) -> None:
        self._cluster.services[fault.target].kill()
        self._cluster.restart(fault.target)

    def _failpoint(self, fault: Fault) -> None:
        service = self._cluster.services[fault.target]
        if fault.target in APIS and fault.argument.endswith("=raise"):
            self._findings.errors_until = time.monotonic() + _READY_TIMEOUT_S + fault.seconds
        service.kill()
        said = self._cluster.log(fault.target).stat().st_size
        self._cluster.restart(fault.target, fault.argument)
        self._await_ready(fault.target, said)
        self._move_work_to(fault.target)
        try:
            code = service.process.wait(fault.seconds)
        except subprocess.TimeoutExpired:
            service.kill()
        else:
            step, _, action = fault.argument.partition("=")
            if code == -signal.SIGKILL and not action:
                self._findings.fired[step.partition(":")[0]] += 1
            else:
                self._findings.broke(f"{fault.target} with {fault.argument} ended with status {code}")
        self._cluster.restart(fault.target)

    def _await_ready(self, target: str, offset: int) -> None:
        """Waits until a process that was started says that it works, or has ended."""
        give_up_at = time.monotonic() + _READY_TIMEOUT_S
        while time.monotonic() < give_up_at and self._cluster.services[target].process.poll() is None:
            with self._cluster.log(target).open("rb") as log:
                log.seek(offset)
                if _READY[target.partition("-")[0]] in log.read():
                    return
            time.sleep(_POLL_S)

    def _move_work_to(self, target: str) -> None:
        """Kills the twin, which has the work of the two, unless a fault is being made there."""
        kind, _, number = target.partition("-")
        twin = f"{kind}-{1 - int(number)}" if kind in {"api", "scheduler"} else ""
        if twin and self._busy[twin].acquire(blocking=False):
            fault = Fault(0.0, "kill", twin)
            self._on_begin(fault)
            try:
                self._kill(fault)
                self._findings.made("kill", twin)
            finally:
                self._on_ended(fault)
                self._busy[twin].release()

    def _freeze(self, fault: Fault) -> None:
        if fault.target == BROKER:
            self._cluster.node.freeze()
            time.sleep(fault.seconds)
            self._cluster.node.thaw()
        elif fault.target == DATABASE:
            self._cluster.postgres.freeze()
            time.sleep(fault.seconds)
            self._cluster.postgres.thaw()
        else:
            self._cluster.signal(fault.target, signal.SIGSTOP)
            time.sleep(fault.seconds)
            self._cluster.signal(fault.target, signal.SIGCONT)

    def _kill_child(self, fault: Fault) -> None:
        for pid in self._cluster.children(fault.target):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _latency(self, fault: Fault) -> None:
        proxy = self._cluster.links[fault.target][fault.argument]
        self._cluster.proxies.run(proxy.delay(0.2))
        time.sleep(fault.seconds)
        self._cluster.proxies.run(proxy.heal())

    def _half_open(self, fault: Fault) -> None:
        proxy = self._cluster.links[fault.target][fault.argument]
        self._cluster.proxies.run(proxy.half_open())
        time.sleep(fault.seconds)
        self._cluster.proxies.run(proxy.heal())

    def _cut(self, fault: Fault) -> None:
        proxy = self._cluster.links[fault.target][fault.argument]
        self._cluster.proxies.run(proxy.cut())
        time.sleep(fault.seconds)
        self._cluster.proxies.run(proxy.heal())

    def _restart(self, fault: Fault) -> None:
        server = self._cluster.node if fault.target == BROKER else self._cluster.postgres
        server.kill()
        time.sleep(fault.seconds)
        server.start()

    def _wipe(self, fault: Fault) -> None:
        self._cluster.wipe(fault.argument)

    def _close(self, _fault: Fault) -> None:
        self._cluster.node.close_connections(VHOST)
