"""Table proposal-time: what a proposal takes on one core after 40, 200 and 1,000 training jobs."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from tests.benchmarks.results import Results
from tests.benchmarks.runs import Figures, Piece
from tests.benchmarks.search.functions.catalogue import function
from tests.benchmarks.search.methods import METHODS, prepare
from tests.benchmarks.search.quality import RUNS

COUNTS = (40, 200, 1000)
#: Five continuous hyperparameters, and eight integers with two continuous ones.
_FUNCTIONS = ("bbob-f8-d5", "bbob-mixint-f20-d10")
_PROPOSALS = 3
_SEED = 1
_CODE = "tests/benchmarks/search/proposal_time.py"


def measure(method: str, name: str, count: int) -> Figures:
    """Tells a method so many random training jobs, and times some proposals, the result told after each."""
    searched = function(name)
    searcher = METHODS[method].start(searched.space, _SEED)
    rng = random.Random(f"{name}/{count}")
    for number in range(1, count + 1):
        configuration = searched.space.at([rng.random() for _ in searched.space.ranges])
        searcher.add(number, configuration, searched.evaluate(configuration, number))
    costs = []
    for number in range(count + 1, count + 1 + _PROPOSALS):
        configuration_or_none, cost = searcher.ask(number)
        assert configuration_or_none is not None
        told = searcher.tell(number, searched.evaluate(configuration_or_none, number))
        costs.append(cost + told)
    return {"cpu_s": np.array([cost.cpu_s for cost in costs]), "wall_s": np.array([cost.wall_s for cost in costs])}


def proposal_time(methods: Sequence[str], minutes: float | None) -> list[Results]:
    """Measures the table, one run after the other: what runs at the same time would slow each other."""
    prepare(methods)
    pieces = {
        (method, name, count): Piece(
            f"{method} on {name} after {count}", measure, (method, name, count), (*METHODS[method].code, _CODE)
        )
        for method in methods
        for name in _FUNCTIONS
        for count in COUNTS
    }
    found = RUNS.run_all([*pieces.values()], jobs=1, minutes=minutes)
    cells = {key: _cell(found[piece.name]) if piece.name in found else "" for key, piece in pieces.items()}
    return [
        Results(
            key="bench-search proposal-time",
            title="Seconds a proposal, one core",
            headings=("method", *(f"{name}, n = {count:,}" for name in _FUNCTIONS for count in COUNTS)),
            rows=[
                (METHODS[method].title, *(cells[method, name, count] for name in _FUNCTIONS for count in COUNTS))
                for method in methods
            ],
            notes=(
                f"Median of {_PROPOSALS} proposals of processor seconds (and seconds of the wall clock), taking the "
                "result included, after n training jobs at random places. One thread.",
            ),
        )
    ]


def _cell(figures: Figures) -> str:
    """Processor and wall seconds."""
    return f"{np.median(figures['cpu_s']):.3f} ({np.median(figures['wall_s']):.3f})"
