"""Ax with the generation strategy that it chooses itself.

A conditional parameter is what Ax calls a dependent one. Ax has those below a single value only: one that applies at
several values is searched always, and left out of the configurations that it does not belong to.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import Any

from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from line_server import Search, applies, serve


class AxSearch:
    """An experiment that lives in memory."""

    def __init__(self, seed: int, space: list[dict[str, Any]]) -> None:
        self._client = Client(random_seed=seed)
        self._client.configure_experiment(parameters=[_parameter(parameter, space) for parameter in space])
        self._client.configure_optimization(objective="-loss")
        self._space = space
        self._indices: dict[int, int] = {}

    def ask(self, number: int) -> Mapping[str, Any]:
        """See `Search`."""
        ((self._indices[number], proposed),) = self._client.get_next_trials(max_trials=1).items()
        configuration: dict[str, Any] = {}
        for parameter in self._space:
            if applies(parameter, configuration):
                configuration[parameter["name"]] = proposed[parameter["name"]]
        return configuration

    def tell(self, number: int, value: float) -> None:
        """See `Search`."""
        self._client.complete_trial(self._indices.pop(number), raw_data={"loss": value})

    def add(self, number: int, configuration: Mapping[str, Any], value: float) -> None:
        """See `Search`."""
        always = {parameter["name"]: _default(parameter) for parameter in self._space if _is_always_searched(parameter)}
        index = self._client.attach_trial({**always, **configuration})
        self._client.complete_trial(index, raw_data={"loss": value})


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
    """Whether a parameter applies when a choice is made, and at no other."""
    condition = parameter["condition"]
    return condition is not None and condition["name"] == name and condition["values"] == [choice]


def _is_always_searched(parameter: Mapping[str, Any]) -> bool:
    """Whether a conditional parameter applies at several values."""
    condition = parameter["condition"]
    return condition is not None and len(condition["values"]) > 1


def _default(parameter: Mapping[str, Any]) -> Any:
    """What stands for a parameter where it does not apply."""
    return parameter["choices"][0] if parameter["kind"] == "categorical" else parameter["low"]


def _start(sampler: str, seed: int, space: list[dict[str, Any]]) -> Search:
    """Starts a search; there is one sampler."""
    if sampler != "default":
        raise SystemExit(f"unknown sampler {sampler!r}")
    return AxSearch(seed, space)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    serve(_start)
