"""Table hrnn-table: trains hrnn once for every row of the tables of trainings that are not made, and writes them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from pyarrow import csv

from hrnn_tuner.algorithms.contract import InvalidObjectiveError
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.search_space import Value
from tests.benchmarks.hrnn.fitting import BenchContext
from tests.benchmarks.hrnn.splits import NewestShare
from tests.benchmarks.paths import DATA, cache_of
from tests.benchmarks.results import Results
from tests.benchmarks.runs import Figures, Piece, Runs
from tests.benchmarks.search.functions.hrnn_table import EPOCHS, GRIDS, hrnn_table, is_made, table_path
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import TrainingData, training_data
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.training.training_job import HrnnTraining

_CACHE = cache_of("bench-search")
_RUNS = Runs(
    _CACHE / "trainings",
    code=(
        "worker_service/hrnn",
        "hrnn_tuner/algorithms",
        "tests/benchmarks/search/functions/hrnn_table.py",
        "tests/benchmarks/search/hrnn_training.py",
    ),
    fresh=False,
)
_METRIC = "normalized_discounted_cumulative_gain_at_10"
#: Users with fewer events teach and ask too little.
_FEWEST_EVENTS = 10
_SEED = 1
_COMMON: dict[str, Value] = {"max_user_history_length_percentile": 1.0, "epochs": EPOCHS, "patience": EPOCHS, "seed": 1}


def train(data: str, row: int) -> Figures:
    """Trains one row: NDCG@10 after every epoch and its processor seconds, the measuring included."""
    torch.set_num_threads(1)
    hyperparameters = {**_COMMON, **GRIDS[data].hyperparameters(row)}
    settings = HrnnSettings.from_hyperparameters(hyperparameters)
    prepared = _prepared(data)
    training = HrnnTraining(prepared, settings, BenchContext(f"{data} {row}", _SEED, _METRIC, hyperparameters))
    objective, cpu_s = np.zeros(EPOCHS), np.zeros(EPOCHS)
    for epoch in range(EPOCHS):
        started = time.process_time()
        try:
            training.train_epoch(epoch + 1)
            objective[epoch] = training.measure(prepared.test).metrics()[_METRIC]
        except InvalidObjectiveError:
            # A training that diverged stays at 0; its epochs would have taken as long as those before.
            cpu_s[epoch:] = max(time.process_time() - started, *cpu_s[:epoch], 0.0)
            break
        cpu_s[epoch] = time.process_time() - started
    return {"objective": objective, "cpu_s": cpu_s}


def hrnn_trainings(jobs: int, minutes: float | None, first_rows: int | None = None) -> list[Results]:
    """Makes the tables that are missing or hold another grid, if they can be made whole within the time.

    Args:
        jobs: Trainings at a time.
        minutes: After them no further training starts; None for no limit.
        first_rows: Trains only so many rows of each table, spread over it, and writes nothing; None for all.
    """
    rows_of = {
        data: _rows(int(grid.space.cardinality or 0), first_rows)
        for data, grid in GRIDS.items()
        if first_rows is not None or not is_made(data)
    }
    pieces = {(data, row): Piece(f"{data} {row}", train, (data, row)) for data, rows in rows_of.items() for row in rows}
    found = _RUNS.run_all([*pieces.values()], jobs, minutes)
    trained = {
        data: [found[name] for row in chosen if (name := pieces[data, row].name) in found]
        for data, chosen in rows_of.items()
    }
    if first_rows is None:
        for data, curves in trained.items():
            if len(curves) == len(rows_of[data]):
                _write(data, curves)
    made = {data: _read(data) for data in GRIDS if data not in rows_of}
    return [_results([_row(data, curves) for data in GRIDS if (curves := (trained | made)[data])])]


def _rows(cardinality: int, first_rows: int | None) -> Sequence[int]:
    """All rows, or some in a seeded order."""
    if first_rows is None:
        return range(cardinality)
    return [int(row) for row in np.random.default_rng(0).permutation(cardinality)[:first_rows]]


def _write(data: str, curves: Sequence[Figures]) -> None:
    """Writes a table."""
    path = table_path(data)
    path.parent.mkdir(exist_ok=True)
    objective, cpu_s = (np.array([own[name] for own in curves], dtype=np.float32) for name in ("objective", "cpu_s"))
    # Five digits of NDCG and milliseconds are more than is used, and pack well.
    np.savez_compressed(path, grid=np.array(repr(GRIDS[data])), objective=objective.round(5), cpu_s=cpu_s.round(3))
    print(f"wrote {path}, {path.stat().st_size / 1000:.0f} kB", flush=True)


def _read(data: str) -> list[Figures]:
    """The trainings of a table that is made."""
    table = hrnn_table(data)
    return [
        {"objective": objective, "cpu_s": cpu_s} for objective, cpu_s in zip(table.objective, table.cpu_s, strict=True)
    ]


def _row(data: str, curves: Sequence[Figures]) -> tuple[str, ...]:
    """What one table holds and took."""
    finals = np.array([own["objective"].max() for own in curves])
    cpu_s = np.array([own["cpu_s"].sum() for own in curves])
    return (
        data,
        f"{len(curves)} of {GRIDS[data].space.cardinality}",
        f"{cpu_s.mean():.1f}",
        f"{cpu_s.mean() * (GRIDS[data].space.cardinality or 0) / 60:.0f}",
        f"{finals.min():.4f}, {np.median(finals):.4f}, {finals.max():.4f}",
        f"{sum(own['objective'][-1] == 0 for own in curves)}",
    )


def _results(rows: list[tuple[str, ...]]) -> Results:
    """The table of the tables."""
    users = ", ".join(
        f"{grid.users} of {data}" + (f" (events of the {grid.items} most frequent items)" if grid.items else "")
        for data, grid in GRIDS.items()
    )
    return Results(
        key="bench-search hrnn-table",
        title="Trainings of hrnn that searches are measured on",
        headings=("data", "rows", "CPU s each", "CPU min all", "NDCG@10: worst, median, best", "diverged"),
        rows=rows,
        notes=(
            f"Users, drawn by seed among those with {_FEWEST_EVENTS} events or more: {users}. Trained on all but the "
            "newest tenth of every user's events, which are what is asked for.",
            f"{EPOCHS} epochs each, no early stop, {_COMMON}, else defaults; one thread.",
        ),
    )


@cache
def _prepared(data: str) -> TrainingData:
    """The events of the drawn users, all of whom are asked for their newest events."""
    settings = HrnnSettings.from_hyperparameters(_COMMON)
    folder = _CACHE / "data"
    path = folder / f"{data}-{GRIDS[data].users}-{GRIDS[data].items or 'all'}.csv"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Several processes may do this at a time: each writes its own file, and all are alike.
        temporary = folder / f"{path.name}.{time.monotonic_ns()}"
        csv.write_csv(_sample(data), temporary)
        temporary.replace(path)
    return training_data(
        load_interactions(DataChannel(str(path)), folder), settings, 0, NewestShare(has_validation=False)
    )


def _sample(data: str) -> pa.Table:
    """The events of as many users and items as the grid says."""
    grid = GRIDS[data]
    table = csv.read_csv(DATA / data / "interactions.csv.gz").select(["USER_ID", "ITEM_ID", "TIMESTAMP"])
    if grid.items is not None:
        events = table.group_by("ITEM_ID").aggregate([("USER_ID", "count")])
        frequent = events.sort_by([("USER_ID_count", "descending"), ("ITEM_ID", "ascending")])["ITEM_ID"][: grid.items]
        table = table.filter(pc.is_in(table["ITEM_ID"], frequent))
    counts = table.group_by("USER_ID").aggregate([("ITEM_ID", "count")])
    users = np.sort(
        counts.filter(pc.greater_equal(counts["ITEM_ID_count"], pa.scalar(_FEWEST_EVENTS)))["USER_ID"].to_numpy()
    )
    chosen = np.random.default_rng(_SEED).choice(users, grid.users, replace=False)
    return table.filter(pc.is_in(table["USER_ID"], pa.array(chosen)))
