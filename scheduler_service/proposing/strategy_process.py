"""A process that runs strategies: their libraries take hundreds of megabytes and hold the interpreter for long."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.tuning_job import StrategyName
from scheduler_service.strategies import History, strategy_for

#: A proposal that is not made by then is not going to be: the process is killed.
TIMEOUT_S = 120.0
#: What each further proposal of a call may take: the model is fitted once.
_FURTHER_S = 15.0
_STOP_S = 5.0


class StrategyFailed(Exception):
    """A strategy raised an error, took too long, or its process died."""


class StrategyProcess:
    """Starts with the first proposal. It ends with the process that owns it, however that ends."""

    def __init__(self) -> None:
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._closed = False

    def propose(self, name: StrategyName, history: History, numbers: Sequence[int], seed: int) -> list[Proposal]:
        """Has proposals made; see `Strategy.propose`.

        When the process dies of something else, e.g. because the host ran out of memory, another one is asked once
        more: the same seed then still gives the same proposals.

        Raises:
            StrategyFailed: When there are none.
        """
        try:
            return self._asked(name, history, numbers, seed)
        except (EOFError, OSError):
            self.stop()
        try:
            return self._asked(name, history, numbers, seed)
        except (EOFError, OSError) as error:
            self.stop()
            raise StrategyFailed(f"the process of {name.value} did not start or died, twice: {error!r}") from error

    def _asked(self, name: StrategyName, history: History, numbers: Sequence[int], seed: int) -> list[Proposal]:
        """Asks the process once.

        Raises:
            EOFError: When it dies.
            OSError: When it does not start, or dies.
            StrategyFailed: When the strategy raises an error, or takes too long.
        """
        connection = self._connected()
        connection.send((name, history, tuple(numbers), seed))
        seconds = TIMEOUT_S + _FURTHER_S * (len(numbers) - 1)
        if not connection.poll(seconds):
            self.stop()
            raise StrategyFailed(f"{name.value} proposed nothing in {seconds:.0f} s")
        proposals, error = connection.recv()
        if error is not None:
            raise StrategyFailed(error)
        found: list[Proposal] = proposals
        return found

    def warm_up(self) -> None:
        """Starts the process, so that the first proposal need not wait for it."""
        self._connected()

    def close(self) -> None:
        """Ends the process for good: who waits for proposals gets none."""
        self._closed = True
        self.stop()

    def stop(self) -> None:
        """Ends the process, if it runs, and gives its memory back."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()  # it keeps nothing
            self._process.join(_STOP_S)
        self._process = self._connection = None

    def _connected(self) -> Connection:
        """The connection to a process that lives.

        Raises:
            OSError: When none can be started, or none is to be.
        """
        if self._closed:
            raise OSError("it was closed")
        if self._process is not None and not self._process.is_alive():
            self.stop()
        if self._connection is None:
            context = multiprocessing.get_context("spawn")  # a fork would inherit the scheduler's threads and sockets
            connection, theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs,), name="strategies", daemon=True)
            try:
                process.start()  # may fail for want of memory: then there is nothing to stop later
            finally:
                theirs.close()
            self._process, self._connection = process, connection
        return self._connection


def serve(connection: Connection) -> None:
    """Makes proposals until the other end of the connection is closed, also by the death of its process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the owner
    os.environ["OMP_NUM_THREADS"] = "1"  # read when numerical libraries are imported, with the first strategy
    while True:
        try:
            name, history, numbers, seed = connection.recv()
        except (EOFError, OSError):
            return
        answer: tuple[list[Proposal], str | None]
        try:
            answer = strategy_for(name).propose(history, numbers, seed), None
        except Exception:  # noqa: BLE001 - told to the owner, who logs it
            answer = [], traceback.format_exc()
        try:
            connection.send(answer)
        except OSError:
            return
