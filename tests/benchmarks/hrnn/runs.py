"""Runs the pieces of the tables in processes of their own, and keeps what is finished.

A piece is a function of plain values that returns arrays and numbers. What it returned is kept under a digest of its
arguments and of the code it ran, so that an interrupted table goes on and a changed model is measured anew.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.hrnn.datasets import CACHE, ROOT

Figures = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Piece:
    """One run of a table.

    Attributes:
        name: Tells it from the other pieces of the table.
        work: A function of a module, so that another process can call it.
        arguments: Its arguments, plain values only.
    """

    name: str
    work: Callable[..., Figures]
    arguments: tuple[Any, ...]

    def path(self) -> Path:
        """Where its figures are kept."""
        spec = f"{self.work.__module__}.{self.work.__qualname__}{self.arguments!r}{_code()}"
        return CACHE / "runs" / f"{hashlib.sha256(spec.encode()).hexdigest()[:24]}.npz"


def run_all(pieces: Sequence[Piece], jobs: int) -> dict[str, Figures]:
    """Runs what is not kept yet, several at a time; returns the figures by name."""
    missing = [piece for piece in pieces if not piece.path().exists()]
    print(f"{len(pieces)} runs, {len(pieces) - len(missing)} of them finished before", flush=True)
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        for done in [pool.submit(_run, piece) for piece in missing]:
            done.result()
    return {piece.name: dict(np.load(piece.path())) for piece in pieces}


def _run(piece: Piece) -> None:
    """Runs one piece and keeps its figures; a file appears only whole."""
    figures = piece.work(*piece.arguments)
    path = piece.path()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".writing.npz")
    np.savez(temporary, **dict(figures))  # type: ignore[arg-type]
    temporary.replace(path)
    print(f"{piece.name}: done", flush=True)


def _code() -> str:
    """Digest of the code that decides about the figures."""
    digest = hashlib.sha256()
    for folder in ("worker_service/hrnn", "tests/benchmarks/hrnn", "hrnn_tuner/algorithms"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
