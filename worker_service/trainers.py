"""The trainers of one process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hrnn_tuner.algorithms.contract import Trainer
from hrnn_tuner.algorithms.registry import AlgorithmRegistry


class Trainers(Mapping[str, Trainer]):
    """Trainers by the name of their algorithm. Each is imported and warmed up once, when it is first asked for."""

    def __init__(self, registry: AlgorithmRegistry, device: str) -> None:
        """Imports nothing yet.

        Args:
            registry: The algorithms.
            device: The torch device that they warm up.
        """
        self._registry = registry
        self._device = device
        self._warm: dict[str, Trainer] = {}

    def __getitem__(self, name: str) -> Trainer:
        if name not in self._warm:
            trainer = self._registry.trainer(name)
            trainer.warm_up(self._device)
            self._warm[name] = trainer
        return self._warm[name]

    def __contains__(self, name: object) -> bool:
        return name in self._registry

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry)

    def __len__(self) -> int:
        return len(self._registry)

    def warm_up(self) -> None:
        """Makes all of them ready, so that no training job waits for its algorithm."""
        for name in self:
            self[name]
