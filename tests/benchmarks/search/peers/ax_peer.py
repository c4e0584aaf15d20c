"""Ax with the generation strategy that it chooses itself; conditional parameters are those that Ax calls dependent."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import Any

from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from line_server import Search, serve


class AxSearch:
    """An experiment that lives in memory."""

    def __init__(self, seed: int, space: list[dict[str, Any]]) -> None:
        self._client = Client(random_seed=seed)
        self._client.configure_experiment(parameters=[_parameter(parameter, space) for parameter in space])
        self._client.configure_optimization(objective="-loss")
        self._indices: dict[int, int] = {}

    def ask(self, number: int) -> Mapping[str, Any]:
        """See `Search`."""
        ((self._indices[number], configuration),) = self._client.get_next_trials(max_trials=1).items()
        return configuration

    def tell(self, number: int, value: float) -> None:
        """See `Search`."""
        self._client.complete_trial(self._indices.pop(number), raw_data={"loss": value})

    def add(self, number: int, configuration: Mapping[str, Any], value: float) -> None:
        """See `Search`."""
        self._client.complete_trial(self._client.attach_trial(dict(configuration)), raw_data={"loss": value})


def _parameter(
    parameter: Mapping[str, Any], space: list[dict[str, Any]]
) -> RangeParameterConfig | ChoiceParameterConfig:
    """A parameter in Ax's terms."""
    name = parameter["name"]
    if parameter["kind"] == "categorical":
        choices = parameter["choices"]
        dependent = {
            choice: names
            for choice in choices
            if (names := [item["name"] for item in space if _depends(item, name, choice)])
        }
        kind = "bool" if isinstance(choices[0], bool) else "str"
        return ChoiceParameterConfig(name, choices, kind, is_ordered=False, dependent_parameters=dependent or None)
    kind = "float" if parameter["kind"] == "float" else "int"
    scaling = "log" if parameter["log"] else "linear"
    return RangeParameterConfig(name, (parameter["low"], parameter["high"]), kind, scaling=scaling)


def _depends(parameter: Mapping[str, Any], name: str, choice: Any) -> bool:
    """Whether a parameter applies when a choice is made."""
    condition = parameter["condition"]
    return condition is not None and condition["name"] == name and choice in condition["values"]


def _start(sampler: str, seed: int, space: list[dict[str, Any]]) -> Search:
    """Starts a search; there is one sampler."""
    if sampler != "default":
        raise SystemExit(f"unknown sampler {sampler!r}")
    return AxSearch(seed, space)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    serve(_start)
