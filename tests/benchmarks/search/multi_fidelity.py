"""Table multi-fidelity: epochs until a search in hrnn's trainings is where Random is after 60 full training jobs."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.results import Results
from tests.benchmarks.runs import Figures, Piece
from tests.benchmarks.search.functions.hrnn_table import EPOCHS, GRIDS, HrnnTable, hrnn_table, table_path
from tests.benchmarks.search.methods import METHODS, prepare
from tests.benchmarks.search.plan import Plan
from tests.benchmarks.search.quality import RUNS
from tests.benchmarks.search.searcher import Searcher
from tests.benchmarks.search.stopping import AsynchronousHalving, NeverStops, StoppingRule

#: Training jobs whose best is to be reached.
RANDOM_TRIALS = 60
_DRAWS = 2000
RULES: Mapping[str, Callable[[], StoppingRule]] = {
    "all epochs": NeverStops,
    "asynchronous halving": AsynchronousHalving,
}
#: What the others are compared with.
_REFERENCE = ("RANDOM", "all epochs")
_CODE = ("tests/benchmarks/search/multi_fidelity.py", "tests/benchmarks/search/stopping.py")


@dataclass(frozen=True)
class Spent:
    """What it took to reach a target.

    Attributes:
        epochs: Of all training jobs, also those that were stopped.
        seconds: Of virtual time, with several training jobs at a time.
        trials: Training jobs that were started.
        reached: Whether it was reached; otherwise the space was exhausted.
    """

    epochs: int
    seconds: float
    trials: int
    reached: bool


def target_of(table: HrnnTable) -> float:
    """What Random reaches with its training jobs and all epochs: the median over many draws without repeats."""
    rng = np.random.default_rng(0)
    finals = table.objective.max(axis=1)
    count = min(RANDOM_TRIALS, len(finals))
    return float(np.median([rng.choice(finals, count, replace=False).max() for _ in range(_DRAWS)]))


def spend(table: HrnnTable, searcher: Searcher, rule: StoppingRule, in_flight: int, target: float) -> Spent:
    """Searches a table, epoch by epoch in virtual time, until the target is reached or nothing is left.

    Args:
        table: Trainings.
        searcher: Proposes rows of it and is told 1 - the best objective of what was trained.
        rule: Decides after every epoch.
        in_flight: Training jobs at a time.
        target: Objective to be reached by any epoch.
    """
    rows: dict[int, int] = {}
    curves: dict[int, list[float]] = {}
    running: list[tuple[float, int]] = []
    now, epochs, exhausted = 0.0, 0, False
    while True:
        while len(running) < in_flight and not exhausted:
            number = len(rows) + 1
            configuration, _ = searcher.ask(number)
            if configuration is None:
                exhausted = True
                break
            rows[number], curves[number] = table.grid.row(configuration), []
            heapq.heappush(running, (now + table.cpu_s[rows[number], 0], number))
        if not running:
            return Spent(epochs, now, len(rows), reached=False)
        now, number = heapq.heappop(running)
        curve = curves[number]
        curve.append(float(table.objective[rows[number], len(curve)]))
        epochs += 1
        if curve[-1] >= target:
            return Spent(epochs, now, len(rows), reached=True)
        if len(curve) < EPOCHS and rule.goes_on(number, curves):
            heapq.heappush(running, (now + table.cpu_s[rows[number], len(curve)], number))
        else:
            searcher.tell(number, 1.0 - max(curve))


def measure(data: str, method: str, rule: str, in_flight: int, seed: int) -> Figures:
    """One search."""
    table = hrnn_table(data)
    searcher = METHODS[method].start(table.grid.space, seed)
    spent = spend(table, searcher, RULES[rule](), in_flight, target_of(table))
    return {name: np.array(value) for name, value in vars(spent).items()}


def multi_fidelity(plan: Plan) -> list[Results]:
    """Measures the table.

    Raises:
        SystemExit: When no table of trainings has been made.
    """
    data_names = [data for data in GRIDS if table_path(data).exists()]
    if not data_names:
        raise SystemExit("there are no trainings yet: make them with the table hrnn-table")
    methods = tuple(dict.fromkeys((_REFERENCE[0], *plan.methods)))
    prepare(methods)
    pieces = {
        (data, method, rule, in_flight, seed): _piece(data, method, rule, in_flight, seed)
        for seed in range(1, plan.seeds + 1)
        for data in data_names
        for method in methods
        for rule in RULES
        for in_flight in plan.in_flight
    }
    found = RUNS.run_all([*pieces.values()], plan.jobs, plan.minutes)
    rows = []
    for data in data_names:
        for in_flight in plan.in_flight:
            spent = {
                (method, rule): [
                    found[piece.name]
                    for key, piece in pieces.items()
                    if key[:4] == (data, method, rule, in_flight) and piece.name in found
                ]
                for method in methods
                for rule in RULES
            }
            rows += [
                (data, str(in_flight), METHODS[method].title, rule, *_cells(own, spent[_REFERENCE]))
                for (method, rule), own in spent.items()
                if own and spent[_REFERENCE]
            ]
    return [_results(plan, rows, data_names)]


def _piece(data: str, method: str, rule: str, in_flight: int, seed: int) -> Piece:
    """The run of one search."""
    title = f"{method}, {rule}, on {data}, {in_flight} in flight, seed {seed}"
    return Piece(title, measure, (data, method, rule, in_flight, seed), (*METHODS[method].code, *_CODE))


def _cells(own: list[Figures], reference: list[Figures]) -> tuple[str, ...]:
    """Medians over seeds, and how many times less that is than the reference."""
    epochs = np.array([float(figures["epochs"]) for figures in own])
    others = np.array([float(figures["epochs"]) for figures in reference])
    low, high = np.percentile(_ratios(others, epochs), (2.5, 97.5))
    reached = sum(bool(figures["reached"]) for figures in own)
    return (
        f"{np.median(epochs):.0f}",
        f"{np.median(others) / np.median(epochs):.2f} [{low:.2f}, {high:.2f}]",
        f"{np.median([float(figures['seconds']) for figures in own]):.0f}",
        f"{np.median([float(figures['trials']) for figures in own]):.0f}",
        f"{reached} of {len(own)}",
    )


def _ratios(others: NDArray[np.float64], epochs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ratios of medians of drawn seeds."""
    rng = np.random.default_rng(0)
    drawn = [np.median(rng.choice(values, (_DRAWS, len(values))), axis=1) for values in (others, epochs)]
    return np.asarray(drawn[0] / drawn[1])


def _results(plan: Plan, rows: list[tuple[str, ...]], data_names: list[str]) -> Results:
    """The table."""
    targets = "; ".join(f"{data}: {target_of(hrnn_table(data)):.4f}" for data in data_names)
    return Results(
        key="bench-search multi-fidelity",
        title=f"Epochs until the best of {RANDOM_TRIALS} full random training jobs is reached",
        headings=("data", "in flight", "method", "rule", "epochs", "times fewer [95%]", "virtual s", "jobs", "reached"),
        rows=rows,
        notes=(
            f"Real trainings of hrnn, made once (see the table hrnn-table): {EPOCHS} epochs at most. NDCG@10 to reach, "
            f"the median of Random: {targets}.",
            f"Medians over {plan.seeds} seeds; intervals: bootstrap over seeds. A search ends with the first epoch "
            "that is that good; a method is told 1 - the best epoch of a training job, also of a stopped one.",
        ),
    )
