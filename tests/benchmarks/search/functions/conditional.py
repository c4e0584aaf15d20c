"""Conditional spaces: which hyperparameters there are depends on others; the optimum is at loss 0."""

from __future__ import annotations

import math
import random

from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    Condition,
    ContinuousRange,
    IntegerRange,
    ParameterRange,
    Scaling,
    SearchSpace,
    Value,
)
from tests.benchmarks.search.functions.boxes import cut_around
from tests.benchmarks.search.functions.contract import BenchFunction, Configuration, Half

KINDS = ("optimizer", "layers")
VARIANTS = (1, 2)
_OPTIMIZERS = ("sgd", "adam", "rmsprop")
_DEPTHS = ("one", "two", "three")


def conditional(kind: str, variant: int) -> BenchFunction:
    """One of the spaces, in a seeded place.

    optimizer: each of three has a rate of its own, and one or two hyperparameters besides. layers: one to three, each
    with a width and a dropout.
    """
    make = {"optimizer": _optimizer, "layers": _layers}[kind]
    return make(f"conditional-{kind}-{variant}", Half.of(variant))


def _optimizer(name: str, half: Half) -> BenchFunction:
    """How good an optimizer can get is drawn: the best one by 0.3 at least."""
    rng = random.Random(name)
    order = rng.sample(_OPTIMIZERS, len(_OPTIMIZERS))
    floors = dict(zip(order, (0.0, 0.3 + 0.2 * rng.random(), 0.8 + 0.4 * rng.random()), strict=True))
    rates = {choice: rng.uniform(-4.0, -1.5) for choice in _OPTIMIZERS}
    momentum, decay, beta = rng.uniform(0.6, 0.9), rng.uniform(-6.0, -3.0), rng.uniform(0.8, 0.95)
    ranges: list[ParameterRange] = [CategoricalRange("optimizer", _OPTIMIZERS)]
    for choice, at in rates.items():
        low, high = cut_around(at - 3.0, at + 3.0, at, rng)
        only = Condition("optimizer", (choice,))
        ranges.append(ContinuousRange(f"{choice}_rate", 10**low, 10**high, Scaling.LOGARITHMIC, only))
    low, high = cut_around(decay - 3.0, decay + 3.0, decay, rng)
    ranges += [
        ContinuousRange("momentum", 0.0, 0.99, Scaling.LINEAR, Condition("optimizer", ("sgd", "rmsprop"))),
        ContinuousRange("beta", 0.5, 0.999, Scaling.LINEAR, Condition("optimizer", ("adam",))),
        ContinuousRange("decay", 10**low, 10**high, Scaling.LOGARITHMIC),
    ]

    def loss(configuration: Configuration) -> float:
        choice = str(configuration["optimizer"])
        away = math.log10(float(configuration[f"{choice}_rate"])) - rates[choice]
        inertia = configuration["beta"] if choice == "adam" else configuration["momentum"]
        off = float(inertia) - (beta if choice == "adam" else momentum)
        of_decay = math.log10(float(configuration["decay"])) - decay
        return floors[choice] + 0.5 * away**2 + 3.0 * off**2 + 0.05 * of_decay**2

    first = order[0]
    inertia = {"beta": beta} if first == "adam" else {"momentum": momentum}
    best: Configuration = {"optimizer": first, f"{first}_rate": 10 ** rates[first], **inertia, "decay": 10**decay}
    return BenchFunction(name, "conditional", half, SearchSpace(tuple(ranges)), loss, optimum=0.0, best=best)


def _layers(name: str, half: Half) -> BenchFunction:
    """Deeper is better, if the further layers are right."""
    rng = random.Random(name)
    widths = [rng.choice((12, 24, 96, 160)) for _ in _DEPTHS]
    dropouts = [rng.uniform(0.05, 0.2) for _ in _DEPTHS]
    ranges: list[ParameterRange] = [CategoricalRange("depth", _DEPTHS)]
    for layer in range(len(_DEPTHS)):
        condition = Condition("depth", _DEPTHS[layer:]) if layer else None
        ranges += [
            IntegerRange(f"width{layer}", 4, 256, Scaling.LOGARITHMIC, condition),
            ContinuousRange(f"dropout{layer}", 0.0, 0.8, Scaling.LINEAR, condition),
        ]

    def loss(configuration: Configuration) -> float:
        depth = _DEPTHS.index(str(configuration["depth"])) + 1
        missing = 0.4 * (len(_DEPTHS) - depth)
        return missing + sum(
            0.15 * math.log2(float(configuration[f"width{layer}"]) / widths[layer]) ** 2
            + 4.0 * (float(configuration[f"dropout{layer}"]) - dropouts[layer]) ** 2
            for layer in range(depth)
        )

    best: dict[str, Value] = {"depth": _DEPTHS[-1]}
    best |= {f"width{layer}": width for layer, width in enumerate(widths)}
    best |= {f"dropout{layer}": dropout for layer, dropout in enumerate(dropouts)}
    return BenchFunction(name, "conditional", half, SearchSpace(tuple(ranges)), loss, optimum=0.0, best=best)
