"""Keeps a strategy from proposing a configuration twice."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence

from hrnn_tuner.domain.search_space import ParameterRange, SearchSpace, Value


def exhausted(space: SearchSpace, tried: Collection[Hashable]) -> bool:
    """Whether every configuration of a finite space was tried; ``tried`` are their keys."""
    total = space.cardinality
    return total is not None and len(tried) >= total


def new_configuration(
    space: SearchSpace, tried: Collection[Hashable], points: Iterable[Sequence[float]]
) -> dict[str, Value]:
    """The configuration of the first point that is new.

    When all of them were tried before, it is another one that is new: in a finite space the next in order after the
    last point, in an infinite one the last point, moved to where a continuous range applies.

    Args:
        space: The search space, not `exhausted`.
        tried: The keys of the different configurations that were tried, see `SearchSpace.key`.
        points: At least one point of the unit cube.
    """
    total = space.cardinality
    last: Sequence[float] = ()
    for point in points:
        candidate = space.at(point)
        if space.key(candidate) not in tried:
            return candidate
        last = point
    return _moved(space, last) if total is None else _next(space, tried, int(last[0] * total), total)


def _next(space: SearchSpace, tried: Collection[Hashable], start: int, total: int) -> dict[str, Value]:
    """Walks round the configurations of a finite space, at most one step more than were tried."""
    walk = (space.grid_point((start + offset) % total) for offset in range(total))
    return next(candidate for candidate in walk if space.key(candidate) not in tried)


def _moved(space: SearchSpace, point: Sequence[float]) -> dict[str, Value]:
    """Makes an infinite range apply, by changing the values on which it depends; its own is new almost surely."""
    units = list(point)
    positions = {item.name: position for position, item in enumerate(space.ranges)}
    item: ParameterRange = next(item for item in space.ranges if item.cardinality is None)
    while item.condition is not None:
        position = positions[item.condition.name]
        parent = space.ranges[position]
        units[position] = parent.unit(item.condition.values[0])
        item = parent
    return space.at(units)
