"""A search space as plain values, for tools that know nothing of this project."""

from __future__ import annotations

from typing import Any

from hrnn_tuner.domain.scaling import resolve
from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, ParameterRange, Scaling, SearchSpace


def described(space: SearchSpace) -> list[dict[str, Any]]:
    """Describes every range, each after the one that it depends on.

    Returns:
        Of each range: ``name``; ``kind``: float, integer or categorical; ``low``, ``high`` and ``log``, or ``choices``;
        ``condition``: None, or ``name`` of a range and ``values``.

    Raises:
        ValueError: For a range that no other tool knows: one with the reverse logarithm.
    """
    found: dict[str, dict[str, Any]] = {}
    waiting = list(space.ranges)
    while waiting:
        item = waiting.pop(0)
        if item.condition is not None and item.condition.name not in found:
            waiting.append(item)
        else:
            found[item.name] = _described(item)
    return list(found.values())


def _described(item: ParameterRange) -> dict[str, Any]:
    """Describes one range."""
    condition = None if item.condition is None else {"name": item.condition.name, "values": [*item.condition.values]}
    if isinstance(item, CategoricalRange):
        return {"name": item.name, "kind": "categorical", "choices": [*item.choices], "condition": condition}
    scaling = resolve(item.scaling, item.minimum, item.maximum)
    if scaling is Scaling.REVERSE_LOGARITHMIC:
        raise ValueError(f"range {item.name!r}: other tools have no reverse logarithm")
    return {
        "name": item.name,
        "kind": "float" if isinstance(item, ContinuousRange) else "integer",
        "low": item.minimum,
        "high": item.maximum,
        "log": scaling is Scaling.LOGARITHMIC,
        "condition": condition,
    }
