"""Finds the installed algorithms and resolves their code."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, cast

from hrnn_tuner.algorithms.contract import Recommender, Trainer
from hrnn_tuner.algorithms.specification import Algorithm

ENTRY_POINT_GROUP = "hrnn_tuner.algorithms"


def _resolve(path: str) -> Any:
    """Imports ``module:attribute``."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)


class AlgorithmRegistry(Mapping[str, Algorithm]):
    """The algorithms of this installation by name, in a fixed order; they are also found by their aliases."""

    def __init__(self, algorithms: Iterable[Algorithm]) -> None:
        """Takes the algorithms; of two with one name or alias, the later wins, and a name wins over an alias."""
        by_name = {algorithm.name: algorithm for algorithm in algorithms}
        self._by_name = MappingProxyType(dict(sorted(by_name.items())))
        self._by_alias = {alias: algorithm for algorithm in by_name.values() for alias in algorithm.aliases}

    def __getitem__(self, name: str) -> Algorithm:
        found = self._by_name.get(name)
        return self._by_alias[name] if found is None else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def trainer(self, name: str) -> Trainer:
        """Imports and constructs the trainer of an algorithm."""
        return cast(Trainer, _resolve(self[name].trainer)())

    def recommender(self, name: str, artifact_dir: str) -> Recommender:
        """Imports an algorithm's recommender and loads a model with it.

        Raises:
            LookupError: When the algorithm has no recommender.
        """
        path = self[name].recommender
        if path is None:
            raise LookupError(f"algorithm {name!r} does not recommend")
        return cast(Recommender, _resolve(path)(artifact_dir))


def load_algorithms(extra: Iterable[str] = ()) -> AlgorithmRegistry:
    """Loads every algorithm announced by an entry point, then the ``module:attribute`` paths of ``extra``."""
    announced = [point.load() for point in entry_points(group=ENTRY_POINT_GROUP)]
    return AlgorithmRegistry([*announced, *(_resolve(path) for path in extra)])
