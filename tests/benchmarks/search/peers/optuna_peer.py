"""Optuna's samplers with their defaults; conditional parameters are asked for where they apply, as its users do."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import optuna
from line_server import Search, applies, serve
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, QMCSampler, RandomSampler, TPESampler

_SAMPLERS: Mapping[str, Callable[[int], BaseSampler]] = {
    "random": lambda seed: RandomSampler(seed=seed),
    "sobol": lambda seed: QMCSampler(qmc_type="sobol", scramble=True, seed=seed),
    "tpe": lambda seed: TPESampler(seed=seed),
    "gp": lambda seed: GPSampler(seed=seed),
    "cma-es": lambda seed: CmaEsSampler(seed=seed),
}


class OptunaSearch:
    """A study that lives in memory."""

    def __init__(self, sampler: str, seed: int, space: list[dict[str, Any]]) -> None:
        self._study = optuna.create_study(direction="minimize", sampler=_SAMPLERS[sampler](seed))
        self._space = space
        self._distributions = {parameter["name"]: _distribution(parameter) for parameter in space}
        self._trials: dict[int, optuna.trial.Trial] = {}

    def ask(self, number: int) -> Mapping[str, Any]:
        """See `Search`."""
        trial = self._trials[number] = self._study.ask()
        configuration: dict[str, Any] = {}
        for parameter in self._space:
            if applies(parameter, configuration):
                name = parameter["name"]
                configuration[name] = _suggested(trial, name, self._distributions[name])
        return configuration

    def tell(self, number: int, value: float) -> None:
        """See `Search`."""
        self._study.tell(self._trials.pop(number), value)

    def add(self, number: int, configuration: Mapping[str, Any], value: float) -> None:
        """See `Search`."""
        distributions = {name: self._distributions[name] for name in configuration}
        self._study.add_trial(
            optuna.trial.create_trial(params=dict(configuration), distributions=distributions, value=value)
        )


def _suggested(trial: optuna.trial.Trial, name: str, distribution: BaseDistribution) -> Any:
    """The value that the study suggests."""
    if isinstance(distribution, FloatDistribution):
        return trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(name, distribution.low, distribution.high, log=distribution.log)
    assert isinstance(distribution, CategoricalDistribution)
    return trial.suggest_categorical(name, distribution.choices)


def _distribution(parameter: Mapping[str, Any]) -> BaseDistribution:
    """A parameter in Optuna's terms."""
    if parameter["kind"] == "categorical":
        return CategoricalDistribution(parameter["choices"])
    kind = FloatDistribution if parameter["kind"] == "float" else IntDistribution
    return kind(parameter["low"], parameter["high"], log=parameter["log"])


def _start(sampler: str, seed: int, space: list[dict[str, Any]]) -> Search:
    """Starts a search."""
    return OptunaSearch(sampler, seed, space)


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    serve(_start)
