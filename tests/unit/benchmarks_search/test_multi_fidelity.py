from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.search.epochs import Spent, spend
from tests.benchmarks.search.functions.hrnn_table import EPOCHS, GRIDS, Grid, HrnnTable, hrnn, is_made, table_path
from tests.benchmarks.search.multi_fidelity import WAYS, target_of

GRID = Grid(
    users=1, items=None, values={"learning_rate": (0.1, 0.2, 0.4, 0.8), "dropout": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)}
)
ROWS = 24


def _table() -> HrnnTable:
    """Every training comes nearer to its final objective, which is higher for higher rows."""
    finals = np.arange(1, ROWS + 1)[:, None] / ROWS
    progress = 1 - 0.5 ** np.arange(1, EPOCHS + 1)[None, :]
    return HrnnTable(GRID, finals * progress, np.ones((ROWS, EPOCHS)))


def _spend(way: str, in_flight: int, target: float, seed: int = 3) -> Spent:
    return spend(_table(), WAYS[way], in_flight, target, seed)


def test_rows_and_configurations_of_a_grid_lead_to_each_other() -> None:
    for grid in (GRID, *GRIDS.values()):
        for row in range(0, grid.space.cardinality or 0, 7):
            configuration = grid.space.grid_point(row)
            assert grid.row(configuration) == row
            hyperparameters = grid.hyperparameters(row)
            assert [*hyperparameters] == [*configuration]
            assert all(hyperparameters[name] in values for name, values in grid.values.items())


def test_without_a_rule_every_training_job_takes_all_its_epochs() -> None:
    assert _spend("random", in_flight=1, target=2.0) == Spent(ROWS * EPOCHS, ROWS * EPOCHS, ROWS, reached=False)


def test_more_training_jobs_at_a_time_take_less_time_and_as_many_epochs() -> None:
    spent = _spend("random", in_flight=4, target=2.0)
    assert (spent.epochs, spent.seconds) == (ROWS * EPOCHS, ROWS * EPOCHS / 4)


def test_a_search_ends_with_the_epoch_that_reaches_the_target() -> None:
    spent = _spend("random", in_flight=1, target=0.4)
    assert spent.reached
    assert (spent.trials - 1) * EPOCHS < spent.epochs <= spent.trials * EPOCHS


@pytest.mark.parametrize("way", ["random-median", "hyperband"])
def test_a_rule_ends_training_jobs_and_their_epochs_are_not_spent(way: str) -> None:
    assert _spend(way, in_flight=4, target=2.0).epochs < ROWS * EPOCHS


@pytest.mark.parametrize("way", ["hyperband", "asha", "bayesian-asha"])
def test_a_high_target_is_reached_with_fewer_epochs(way: str) -> None:
    full = [_spend("random", 1, 0.95, seed).epochs for seed in range(5)]
    fewer = [_spend(way, 1, 0.95, seed).epochs for seed in range(5)]
    assert np.median(fewer) < np.median(full)


def test_promotions_cost_no_epoch_twice() -> None:
    spent = _spend("asha", in_flight=1, target=2.0)
    assert spent.trials > ROWS, "there were promotions"
    assert spent.epochs <= ROWS * EPOCHS


def test_the_target_is_what_so_many_random_training_jobs_find() -> None:
    finals = _table().objective.max(axis=1)
    assert target_of(_table()) == finals.max()  # of 24 rows, 60 draws find the best


@pytest.mark.parametrize("data", [data for data in GRIDS if is_made(data)])
def test_a_table_in_the_repository_is_whole_and_small(data: str) -> None:
    table = hrnn(data)
    assert table.best is not None
    assert table.loss(table.best) == table.optimum
    assert table_path(data).stat().st_size < 300_000
