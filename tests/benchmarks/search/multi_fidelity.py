"""Table multi-fidelity: epochs until a search in hrnn's trainings is where Random is after 60 full training jobs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hrnn_tuner.domain.tuning_job import StrategyName
from tests.benchmarks.results import Results
from tests.benchmarks.runs import Figures, Piece
from tests.benchmarks.search.epochs import Way, spend
from tests.benchmarks.search.functions.hrnn_table import EPOCHS, GRIDS, HrnnTable, hrnn_table, is_made
from tests.benchmarks.search.plan import Plan
from tests.benchmarks.search.quality import RUNS

#: Training jobs whose best is to be reached.
RANDOM_TRIALS = 60
_DRAWS = 2000
#: The first one is what the others are compared with.
WAYS: Mapping[str, Way] = {
    "random": Way("RANDOM", StrategyName.RANDOM),
    "random-median": Way("RANDOM, early stopping AUTO", StrategyName.RANDOM, early_stopping=True),
    "bayesian": Way("BAYESIAN", StrategyName.BAYESIAN),
    "bayesian-median": Way("BAYESIAN, early stopping AUTO", StrategyName.BAYESIAN, early_stopping=True),
    "hyperband": Way("HYPERBAND", StrategyName.HYPERBAND),
    "asha": Way("ASHA", StrategyName.ASHA),
    "bayesian-asha": Way("BAYESIAN_ASHA", StrategyName.BAYESIAN_ASHA),
}
_REFERENCE = next(iter(WAYS))
_CODE = (
    "scheduler_service/strategies",
    "scheduler_service/early_stopping",
    "tests/benchmarks/search/epochs.py",
    "tests/benchmarks/search/multi_fidelity.py",
)


def target_of(table: HrnnTable) -> float:
    """What Random reaches with its training jobs and all epochs: the median over many draws without repeats."""
    rng = np.random.default_rng(0)
    finals = table.objective.max(axis=1)
    count = min(RANDOM_TRIALS, len(finals))
    return float(np.median([rng.choice(finals, count, replace=False).max() for _ in range(_DRAWS)]))


def measure(data: str, way: str, in_flight: int, seed: int) -> Figures:
    """One search."""
    table = hrnn_table(data)
    spent = spend(table, WAYS[way], in_flight, target_of(table), seed)
    return {name: np.array(value) for name, value in vars(spent).items()}


def multi_fidelity(plan: Plan) -> list[Results]:
    """Measures the table.

    Raises:
        SystemExit: When no table of trainings has been made.
    """
    data_names = [data for data in GRIDS if is_made(data)]
    if not data_names:
        raise SystemExit("there are no trainings yet: make them with the table hrnn-table")
    pieces = {
        (data, in_flight, way, seed): Piece(
            f"{WAYS[way].title} on {data}, {in_flight} in flight, seed {seed}",
            measure,
            (data, way, in_flight, seed),
            _CODE,
        )
        for seed in range(1, plan.seeds + 1)
        for data in data_names
        for in_flight in plan.in_flight
        for way in WAYS
    }
    found = RUNS.run_all([*pieces.values()], plan.jobs, plan.minutes)
    rows = []
    for data in data_names:
        for in_flight in plan.in_flight:
            spent = {
                way: [
                    found[piece.name]
                    for key, piece in pieces.items()
                    if key[:3] == (data, in_flight, way) and piece.name in found
                ]
                for way in WAYS
            }
            rows += [
                (data, str(in_flight), WAYS[way].title, *_cells(own, spent[_REFERENCE]))
                for way, own in spent.items()
                if own and spent[_REFERENCE]
            ]
    return [_results(plan, rows, data_names)]


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
        headings=("data", "in flight", "strategy", "epochs", "times fewer [95%]", "virtual s", "jobs", "reached"),
        rows=rows,
        notes=(
            f"Real trainings of hrnn, made once (see the table hrnn-table): {EPOCHS} epochs at most. NDCG@10 to reach, "
            f"the median of Random: {targets}.",
            f"Medians over {plan.seeds} seeds; intervals: bootstrap over seeds. A search ends with the first epoch "
            "that is that good. Strategies and stopping rules are the scheduler's own; the promotions of ASHA go on "
            "from checkpoints and cost no epoch twice.",
            "BAYESIAN_ASHA was chosen on the trainings of ml-100k, where what was there before it was 2.1 and 3.0 "
            "times faster than Random; of online-retail-2 there was no choice.",
        ),
    )
