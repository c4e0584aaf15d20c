"""Trainings of hrnn that were made once: a grid of hyperparameters with the objective after every epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    IntegerRange,
    ParameterRange,
    Scaling,
    SearchSpace,
    Value,
)
from tests.benchmarks.search.functions.contract import BenchFunction, Configuration, Half

FOLDER = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Grid:
    """Which trainings a table holds.

    Attributes:
        users: How many users of the data set, drawn by seed; see `hrnn_training`.
        items: Only events of so many items of the data set count, the most frequent ones; None for all.
        values: The values of every hyperparameter. Numbers are spaced equally in the coordinate that is searched.
    """

    users: int
    items: int | None
    values: Mapping[str, tuple[Value, ...]]

    @property
    def space(self) -> SearchSpace:
        """Ordered values are searched by their position, so that a tool can know that they are ordered."""
        ranges: list[ParameterRange] = []
        for name, values in self.values.items():
            if isinstance(values[0], (bool, str)):
                ranges.append(CategoricalRange(name, values))
            else:
                ranges.append(IntegerRange(name, 0, len(values) - 1, Scaling.LINEAR))
        return SearchSpace(tuple(ranges))

    def hyperparameters(self, index: int) -> dict[str, Value]:
        """The hyperparameters of a row of the table, in lexicographic order."""
        place = np.unravel_index(index, [len(values) for values in self.values.values()])
        return {name: values[at] for (name, values), at in zip(self.values.items(), place, strict=True)}

    def row(self, configuration: Configuration) -> int:
        """The row of a configuration of the space."""
        place = [
            values.index(configuration[name]) if isinstance(values[0], (bool, str)) else int(configuration[name])
            for name, values in self.values.items()
        ]
        return int(np.ravel_multi_index(place, [len(values) for values in self.values.values()]))


#: Epochs of every training; the learning rate comes down over them.
EPOCHS = 12
_VALUES: Mapping[str, tuple[Value, ...]] = {
    "learning_rate": (0.0016, 0.004, 0.01, 0.025, 0.0625),
    "hidden_dimension": (8, 20, 50),
    "dropout": (0.0, 0.25, 0.5),
    "batch_tokens": (1024, 4096),
    "recency_mask": (False, True),
    "cell": ("hrnn", "flat"),
}
GRIDS: Mapping[str, Grid] = {
    "ml-100k": Grid(users=300, items=None, values=_VALUES),
    # On all products, 3,700, so few users are asked for something that hardly anybody bought: every training is as
    # good as another, but for noise.
    "online-retail-2": Grid(users=500, items=200, values=_VALUES),
}


@dataclass(frozen=True)
class HrnnTable:
    """What was measured.

    Attributes:
        grid: The trainings.
        objective: NDCG@10 after every epoch [rows, epochs]; 0 from where a training diverged.
        cpu_s: Processor seconds of every epoch [rows, epochs].
    """

    grid: Grid
    objective: NDArray[np.float64]
    cpu_s: NDArray[np.float64]

    def loss(self, configuration: Configuration, epochs: int = EPOCHS) -> float:
        """1 - the best objective of the first epochs."""
        return float(1.0 - self.objective[self.grid.row(configuration), :epochs].max())


def table_path(data: str) -> Path:
    """Where the table of a data set lies."""
    return FOLDER / f"hrnn-{data}.npz"


def is_made(data: str) -> bool:
    """Whether the table of a data set is there and holds the grid of this module."""
    path = table_path(data)
    if not path.exists():
        return False
    with np.load(path) as found:
        return str(found["grid"]) == repr(GRIDS[data])


@cache
def hrnn_table(data: str) -> HrnnTable:
    """Reads a table.

    Raises:
        ValueError: When the file is missing or holds another grid than this module.
    """
    if not is_made(data):
        raise ValueError(f"{table_path(data)} is missing or holds another grid; make it with the table hrnn-table")
    with np.load(table_path(data)) as found:
        return HrnnTable(GRIDS[data], found["objective"].astype(np.float64), found["cpu_s"].astype(np.float64))


def hrnn(data: str) -> BenchFunction:
    """The search for the best training of a table."""
    table = hrnn_table(data)
    row = int(table.objective.max(axis=1).argmax())
    hyperparameters = table.grid.hyperparameters(row)
    best: dict[str, Value] = {
        name: hyperparameters[name] if isinstance(values[0], (bool, str)) else values.index(hyperparameters[name])
        for name, values in table.grid.values.items()
    }
    half = Half.of(list(GRIDS).index(data))
    return BenchFunction(
        f"hrnn-{data}", "hrnn", half, table.grid.space, table.loss, optimum=table.loss(best), best=best
    )
