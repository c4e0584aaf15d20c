"""Purely categorical spaces: every choice has an effect, and so has every pair of them; the optimum is counted out."""

from __future__ import annotations

import random
from itertools import combinations

from hrnn_tuner.domain.search_space import CategoricalRange, SearchSpace
from tests.benchmarks.search.functions.contract import BenchFunction, Configuration, Half

#: Choices of each range, and how much the effects of pairs weigh beside those of single choices.
SPACES = {
    "additive": ((3, 4, 5, 3, 4, 6), 0.1),
    "pairs": ((3, 4, 5, 3, 4, 6), 0.7),
    "many": ((2,) * 12, 0.4),
    "wide": ((12, 10, 15, 4), 0.4),
}


def categorical(kind: str) -> BenchFunction:
    """One of the spaces, its effects drawn from a normal distribution."""
    name = f"categorical-{kind}"
    rng = random.Random(name)
    sizes, pair_weight = SPACES[kind]
    names = [f"choice{position}" for position in range(len(sizes))]
    single = [[rng.gauss(0.0, 1.0) for _ in range(size)] for size in sizes]
    pairs = {
        (a, b): [[rng.gauss(0.0, pair_weight) for _ in range(sizes[b])] for _ in range(sizes[a])]
        for a, b in combinations(range(len(sizes)), 2)
    }
    space = SearchSpace(
        tuple(
            CategoricalRange(key, tuple(f"v{choice}" for choice in range(size)))
            for key, size in zip(names, sizes, strict=True)
        )
    )

    def loss(configuration: Configuration) -> float:
        chosen = [int(str(configuration[key])[1:]) for key in names]
        total = sum(effects[choice] for effects, choice in zip(single, chosen, strict=True))
        return total + sum(effects[chosen[a]][chosen[b]] for (a, b), effects in pairs.items())

    best = min((space.grid_point(index) for index in range(space.cardinality or 0)), key=loss)
    half = Half.of(list(SPACES).index(kind))
    return BenchFunction(name, "categorical", half, space, loss, optimum=loss(best), best=best)
