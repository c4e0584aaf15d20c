"""Measures Optuna's storages: its client processes, its gRPC proxy, and a database of the benchmark's own."""

from __future__ import annotations

import json
import select
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmarks.control_plane.cycles import Rate, Rates, show
from tests.benchmarks.control_plane.plan import Plan
from tests.benchmarks.environments import made_environment
from tests.benchmarks.paths import cache_of
from tests.support.ports import free_port
from tests.support.postgres import PrivatePostgres
from tests.support.processes import cpu_seconds

_HERE = Path(__file__).parent
_REQUIREMENTS = _HERE / "optuna-requirements.txt"
_SCRIPT = _HERE / "optuna_cycles.py"
#: For a client's start with its first trial, which is not counted.
_START_TIMEOUT_S = 120.0
#: A client that takes longer for its last cycle is so slow that its figure is 0.
_PATIENCE_S = 30.0


class Optuna:
    """Optuna in an environment of its own."""

    def __init__(self) -> None:
        """Makes the environment, unless it is there."""
        folder = cache_of("bench") / "optuna-venv"
        content = _REQUIREMENTS.read_text()
        self._python = made_environment("Optuna", folder, (("-r", str(_REQUIREMENTS)),), content)

    def measure(self, plan: Plan, folder: Path) -> Mapping[str, Rates]:
        """Rates by the kind of storage."""
        with ExitStack() as stack:
            postgres = PrivatePostgres()
            stack.callback(postgres.close)
            postgres.start()
            sqlite = f"sqlite:///{folder / 'optuna.db'}"
            for url in (postgres.url, sqlite):
                for size in plan.sizes:
                    self._run("fill", f"--storage={url}", f"--study={size}", f"--trials={size}")
            measured = {
                "Optuna, RDB storage on PostgreSQL": self._rates(postgres.url, plan),
                "Optuna, RDB storage on SQLite": self._rates(sqlite, plan),
            }
            proxy, url = stack.enter_context(self._proxy(postgres.url))
            return {**measured, "Optuna, gRPC proxy on PostgreSQL": self._rates(url, plan, proxy)}

    @contextmanager
    def _proxy(self, storage: str) -> Iterator[tuple[int, str]]:
        """A gRPC storage proxy; its process and its URL."""
        port = free_port()
        process = self._start("serve", f"--storage={storage}", f"--port={port}")
        try:
            time.sleep(5)  # its clients wait for it too
            yield process.pid, f"grpc://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()

    def _rates(self, url: str, plan: Plan, *servers: int) -> Rates:
        """Rates of one storage."""
        print(f"  {url}", flush=True)
        rates = {}
        for size in plan.sizes:
            for clients in plan.clients:
                rates[clients, size] = self._rate(url, size, clients, plan.window_s, servers)
                show(rates[clients, size], clients, size)
        return rates

    def _rate(self, url: str, size: int, clients: int, window_s: float, servers: tuple[int, ...]) -> Rate:
        """Lets clients work side by side."""
        arguments = (f"--storage={url}", f"--study={size}", f"--seconds={window_s}")
        processes = [self._start("work", *arguments) for _ in range(clients)]
        try:
            give_up_at = time.monotonic() + _START_TIMEOUT_S
            for process in processes:
                _line(process, give_up_at)
            used = cpu_seconds(servers)
            for process in processes:
                assert process.stdin is not None
                process.stdin.write("\n")
                process.stdin.flush()
            give_up_at = time.monotonic() + window_s + _PATIENCE_S
            done = [json.loads(_line(process, give_up_at)) for process in processes]
        except TimeoutError:
            return Rate(0.0, 0.0, [])
        finally:
            for process in processes:
                process.kill()
                process.wait()
        took = [seconds for client in done for seconds in client["took"]]
        cpu = sum(client["cpu"] for client in done) + cpu_seconds(servers) - used
        rate = sum(len(client["took"]) / client["seconds"] for client in done)
        return Rate(rate, 1000 * cpu / len(took), took)

    def _run(self, *arguments: str) -> None:
        """Runs the script to its end."""
        subprocess.run([str(self._python), "-W", "ignore", str(_SCRIPT), *arguments], check=True)

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts the script."""
        return subprocess.Popen(
            [str(self._python), "-W", "ignore", str(_SCRIPT), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def _line(process: subprocess.Popen[str], give_up_at: float) -> str:
    """The next line of a process's output; at a time it has one at most.

    Raises:
        TimeoutError: When it does not come in time, or the process has ended.
    """
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], max(0.0, give_up_at - time.monotonic()))
    line = process.stdout.readline() if ready else ""
    if not line:
        raise TimeoutError
    return line
