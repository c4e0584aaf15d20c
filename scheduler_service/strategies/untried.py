"""Keeps a strategy from proposing a configuration twice."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

from hrnn_tuner.domain.search_space import SearchSpace, Value


def configuration_key(configuration: Mapping[str, Value]) -> Hashable:
    """The same for equal configurations and for no others; to Python alone, True equals 1."""
    return tuple(sorted((name, isinstance(value, bool), value) for name, value in configuration.items()))


def exhausted(space: SearchSpace, tried: Collection[Hashable]) -> bool:
    """Whether every configuration of a finite space was tried."""
    total = space.cardinality
    return total is not None and len(tried) >= total


def new_configuration(
    space: SearchSpace, tried: Collection[Hashable], points: Iterable[Sequence[float]]
) -> dict[str, Value]:
    """The configuration of the first point that is new, or else the next new one in the order of a finite space.

    Args:
        space: The search space, not `exhausted`.
        tried: The keys of the different configurations that were tried.
        points: At least one point of the unit cube. In an infinite space the last one is taken as it is.
    """
    last: Sequence[float] = ()
    for point in points:
        candidate = space.at(tuple(point))
        if configuration_key(candidate) not in tried:
            return candidate
        last = point
    total = space.cardinality
    if total is None:
        return space.at(tuple(last))
    start = int(last[0] * total)
    walk = (space.grid_point((start + offset) % total) for offset in range(total))
    return next(candidate for candidate in walk if configuration_key(candidate) not in tried)
