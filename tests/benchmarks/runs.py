"""Runs the pieces of benchmark tables in processes of their own, and keeps what is finished.

A piece is a function of plain values that returns arrays and numbers. What it returned is kept under a digest of its
arguments and of the code it ran, so that an interrupted table goes on and a changed model is measured anew.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.paths import ROOT

Figures = Mapping[str, NDArray[Any]]

_PROGRESS_EVERY_S = 5.0


@dataclass(frozen=True)
class Piece:
    """One run of a table.

    Attributes:
        name: Tells it from the other pieces of the table.
        work: A function of a module, so that another process can call it.
        arguments: Its arguments, plain values only.
        code: Folders and files, from the root of the checkout, that decide about its figures, besides those of all
            pieces.
    """

    name: str
    work: Callable[..., Figures]
    arguments: tuple[Any, ...]
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class Runs:
    """The runs of one benchmark.

    Attributes:
        folder: Where their figures are kept.
        code: Folders and files, from the root of the checkout, that decide about all figures.
        fresh: Whether every piece gets a new process; otherwise a process runs many, one after the other.
    """

    folder: Path
    code: tuple[str, ...] = ()
    fresh: bool = True

    def path(self, piece: Piece) -> Path:
        """Where a piece's figures are kept."""
        work = f"{piece.work.__module__}.{piece.work.__qualname__}{piece.arguments!r}"
        spec = work + _digest_of_code((*self.code, *piece.code))
        return self.folder / f"{hashlib.sha256(spec.encode()).hexdigest()[:24]}.npz"

    def finished(self, pieces: Sequence[Piece]) -> dict[str, Figures]:
        """The figures that are kept, by name."""
        found: dict[str, Figures] = {}
        for piece in pieces:
            path = self.path(piece)
            if path.exists():
                with np.load(path) as arrays:
                    found[piece.name] = dict(arrays)
        return found

    def run_all(self, pieces: Sequence[Piece], jobs: int, minutes: float | None = None) -> dict[str, Figures]:
        """Runs what is not kept yet, several at a time, in this order.

        Args:
            pieces: What to run.
            jobs: How many run at a time.
            minutes: After them no further piece starts; None for no limit.

        Returns:
            The figures by name: those of all pieces, unless the time was over before.

        Raises:
            RuntimeError: When pieces failed; the others ran to their end all the same.
        """
        missing = [piece for piece in pieces if not self.path(piece).exists()]
        print(f"{len(pieces)} runs, {len(pieces) - len(missing)} of them finished before", flush=True)
        failures = self._run(missing, jobs, minutes)
        if failures:
            raise RuntimeError("\n".join((f"{len(failures)} runs failed:", *failures)))
        return self.finished(pieces)

    def _run(self, missing: Sequence[Piece], jobs: int, minutes: float | None) -> list[str]:
        """Runs pieces until the time is over; returns what went wrong."""
        progress = _Progress(len(missing), jobs)
        until = float("inf") if minutes is None else time.monotonic() + 60 * minutes
        failures = []
        with ProcessPoolExecutor(
            jobs,
            mp_context=multiprocessing.get_context("spawn"),
            max_tasks_per_child=1 if self.fresh else None,
        ) as pool:
            waiting = iter(missing)
            running = self._start(pool, waiting, jobs, until)
            while running:
                done, _ = wait(running, timeout=_PROGRESS_EVERY_S, return_when=FIRST_COMPLETED)
                for future in done:
                    piece = running.pop(future)
                    if error := future.exception():
                        failures.append(f"{piece.name}: {type(error).__name__}: {error}")
                        print(f"failed: {failures[-1]}", flush=True)
                running |= self._start(pool, waiting, len(done), until)
                progress.show(len(done), [piece.name for piece in running.values()])
        return failures

    def _start(
        self, pool: ProcessPoolExecutor, waiting: Iterator[Piece], count: int, until: float
    ) -> dict[Future[None], Piece]:
        """Starts some more, while there is time."""
        if time.monotonic() >= until:
            return {}
        return {pool.submit(_run_and_keep, piece, self.path(piece)): piece for piece in islice(waiting, count)}


class _Progress:
    """Says every few seconds how far the runs are."""

    def __init__(self, total: int, jobs: int) -> None:
        self._total, self._jobs = total, jobs
        self._done = 0
        self._started = self._shown = time.monotonic()

    def show(self, newly_done: int, running: Sequence[str]) -> None:
        """Counts, and prints a line when the last one is old enough or all is done."""
        self._done += newly_done
        now = time.monotonic()
        if now - self._shown < _PROGRESS_EVERY_S and self._done < self._total:
            return
        self._shown = now
        passed = now - self._started
        left = f"about {passed / self._done * (self._total - self._done):.0f} s left" if self._done else "just started"
        now_running = f"; running: {'; '.join(running)}" if running else ""
        print(f"{self._done} of {self._total} runs in {passed:.0f} s, {left}{now_running}", flush=True)


def _run_and_keep(piece: Piece, path: Path) -> None:
    """Runs one piece and keeps its figures; a file appears only whole."""
    figures = piece.work(*piece.arguments)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".writing.npz")
    np.savez(temporary, **dict(figures))  # type: ignore[arg-type]
    temporary.replace(path)


@cache
def _digest_of_code(places: tuple[str, ...]) -> str:
    """Digest of the Python files in folders, and of files."""
    digest = hashlib.sha256()
    for place in places:
        found = ROOT / place
        for path in sorted(found.rglob("*.py")) if found.is_dir() else [found]:
            digest.update(path.read_bytes())
    return digest.hexdigest()
