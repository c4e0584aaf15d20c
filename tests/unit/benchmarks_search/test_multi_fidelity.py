from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from hrnn_tuner.domain.tuning_job import StrategyName
from tests.benchmarks.search.functions.hrnn_table import EPOCHS, GRIDS, Grid, HrnnTable, hrnn, table_path
from tests.benchmarks.search.multi_fidelity import spend, target_of
from tests.benchmarks.search.ours import StrategySearcher
from tests.benchmarks.search.stopping import AsynchronousHalving, NeverStops, StoppingRule

GRID = Grid(users=1, values={"learning_rate": (0.1, 0.2, 0.4, 0.8), "dropout": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)})
ROWS = 24


def _table() -> HrnnTable:
    """Every training comes nearer to its final objective, which is higher for higher rows."""
    finals = np.arange(1, ROWS + 1)[:, None] / ROWS
    progress = 1 - 0.5 ** np.arange(1, EPOCHS + 1)[None, :]
    return HrnnTable(GRID, finals * progress, np.ones((ROWS, EPOCHS)))


def _spend(rule: StoppingRule, in_flight: int, target: float, seed: int = 3) -> tuple[int, float, int, bool]:
    table = _table()
    searcher = StrategySearcher(StrategyName.RANDOM, GRID.space, seed)
    spent = spend(table, searcher, rule, in_flight, target)
    return spent.epochs, spent.seconds, spent.trials, spent.reached


class FirstEpochOnly(StoppingRule):
    def goes_on(self, number: int, curves: Mapping[int, Sequence[float]]) -> bool:
        return False


def test_rows_and_configurations_of_a_grid_lead_to_each_other() -> None:
    for grid in (GRID, *GRIDS.values()):
        for row in range(0, grid.space.cardinality or 0, 7):
            configuration = grid.space.grid_point(row)
            assert grid.row(configuration) == row
            hyperparameters = grid.hyperparameters(row)
            assert [*hyperparameters] == [*configuration]
            assert all(hyperparameters[name] in values for name, values in grid.values.items())


def test_without_a_rule_every_training_job_takes_all_its_epochs() -> None:
    epochs, seconds, trials, reached = _spend(NeverStops(), in_flight=1, target=2.0)
    assert (epochs, seconds, trials, reached) == (ROWS * EPOCHS, ROWS * EPOCHS, ROWS, False)


def test_more_training_jobs_at_a_time_take_less_time_and_as_many_epochs() -> None:
    epochs, seconds, _, _ = _spend(NeverStops(), in_flight=4, target=2.0)
    assert (epochs, seconds) == (ROWS * EPOCHS, ROWS * EPOCHS / 4)


def test_a_rule_ends_training_jobs_and_their_epochs_are_not_spent() -> None:
    assert _spend(FirstEpochOnly(), in_flight=4, target=2.0)[0] == ROWS


def test_a_search_ends_with_the_epoch_that_reaches_the_target() -> None:
    epochs, _, trials, reached = _spend(NeverStops(), in_flight=1, target=0.4)
    assert reached
    assert (trials - 1) * EPOCHS < epochs <= trials * EPOCHS


def test_halving_reaches_a_high_target_with_fewer_epochs() -> None:
    full = [_spend(NeverStops(), 1, 0.95, seed)[0] for seed in range(10)]
    halved = [_spend(AsynchronousHalving(), 1, 0.95, seed)[0] for seed in range(10)]
    assert 2 * np.median(halved) < np.median(full)


def test_halving_lets_one_in_three_go_on_at_its_rungs_and_everybody_between_them() -> None:
    rule = AsynchronousHalving(first_rung=1, reduction=3)
    first = {number: [float(number)] for number in range(1, 7)}
    assert [number for number in first if rule.goes_on(number, first)] == [5, 6]
    assert rule.goes_on(1, {1: [0.1, 0.2], 2: [0.9, 0.9]})
    assert not rule.goes_on(1, {1: [0.1, 0.2, 0.3], 2: [0.9, 0.9, 0.9]})


def test_a_later_training_job_does_not_count_at_a_rung_that_it_has_not_reached() -> None:
    assert AsynchronousHalving().goes_on(1, {1: [0.1, 0.2, 0.3], 2: [0.9, 0.9]})


def test_the_target_is_what_so_many_random_training_jobs_find() -> None:
    finals = _table().objective.max(axis=1)
    assert target_of(_table()) == finals.max()  # of 24 rows, 60 draws find the best


@pytest.mark.parametrize("data", [data for data in GRIDS if table_path(data).exists()])
def test_a_table_in_the_repository_is_whole_and_small(data: str) -> None:
    table = hrnn(data)
    assert table.best is not None
    assert table.loss(table.best) == table.optimum
    assert table_path(data).stat().st_size < 300_000
