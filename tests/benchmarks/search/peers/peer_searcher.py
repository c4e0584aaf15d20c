"""Other tools as searchers: each in a process of its own environment."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from types import TracebackType
from typing import Any

from hrnn_tuner.domain.search_space import SearchSpace
from tests.benchmarks.search.functions.contract import Configuration
from tests.benchmarks.search.peers.environments import python_of, script
from tests.benchmarks.search.searcher import Cost, Searcher
from tests.benchmarks.search.space_description import described

#: One core for everybody.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
_EXIT_TIMEOUT_S = 10


class PeerProcess:
    """A tool's process; it serves one search after the other and ends with its input."""

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self._process = subprocess.Popen(
            [str(python_of(tool)), "-W", "ignore", str(script(tool))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **_ONE_THREAD},
        )

    def __enter__(self) -> PeerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_alive(self) -> bool:
        """Whether it still serves."""
        return self._process.poll() is None

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it may have ended before
            self._process.stdin.close()
        try:
            self._process.wait(_EXIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def request(self, op: str, **fields: Any) -> tuple[dict[str, Any], Cost]:
        """Makes a request; returns the answer and what it took.

        Raises:
            RuntimeError: When the process has ended; its standard error says why.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"op": op, **fields}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(f"{self.tool} ended with status {self._process.wait()} at {op} {fields}")
        answer = json.loads(line)
        return answer, Cost(answer.pop("cpu_s"), answer.pop("wall_s"))


class PeerSearcher(Searcher):
    """One search in a peer's process.

    Args:
        process: Any other search in it ends.
        sampler: Which of the tool's.
        space: Where to search.
        seed: Of the sampler.
    """

    def __init__(self, process: PeerProcess, sampler: str, space: SearchSpace, seed: int) -> None:
        self._process, self._space = process, space
        process.request("start", sampler=sampler, seed=seed, space=described(space))

    def ask(self, number: int) -> tuple[Configuration | None, Cost]:
        """See `Searcher.ask`.

        Raises:
            ValueError: For a proposal that lies outside of the space.
        """
        answer, cost = self._process.request("ask", number=number)
        configuration: Configuration = answer["configuration"]
        if not self._space.contains(configuration):
            raise ValueError(f"{self._process.tool} proposes {configuration}, which is not in {self._space}")
        return configuration, cost

    def tell(self, number: int, value: float) -> Cost:
        """See `Searcher.tell`."""
        return self._process.request("tell", number=number, value=value)[1]

    def add(self, number: int, configuration: Configuration, value: float) -> None:
        """See `Searcher.add`."""
        self._process.request("add", number=number, configuration=dict(configuration), value=value)


_of_this_process: list[PeerProcess] = []


def peer_process(tool: str) -> PeerProcess:
    """A process for a tool, which is kept for the next search; only one tool's is kept, as each takes memory."""
    if _of_this_process and not (_of_this_process[0].tool == tool and _of_this_process[0].is_alive):
        _of_this_process.pop().close()
    if not _of_this_process:
        _of_this_process.append(PeerProcess(tool))
    return _of_this_process[0]
