"""Search spaces for property tests: ranges of all kinds, with conditions that form chains in any order."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import strategies as st

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

#: Choices that Python holds equal in part.
CHOICES: tuple[tuple[Value, ...], ...] = (("a", "b", "c"), (True, False), (0, True, "1"), (1,), (0.5, 2))


def _plain(name: str, infinite: bool) -> st.SearchStrategy[ParameterRange]:
    """A range without a condition; numeric ones are positive and below 1 where their scaling needs it."""
    integers = st.builds(
        lambda low, width, scaling: IntegerRange(name, low, low + width, scaling),
        st.integers(1, 4),
        st.integers(0, 3),
        st.sampled_from([Scaling.AUTO, Scaling.LINEAR, Scaling.LOGARITHMIC]),
    )
    categories = st.sampled_from(CHOICES).map(lambda choices: CategoricalRange(name, choices))
    numbers = st.builds(
        lambda low, width, scaling: ContinuousRange(name, low, low + width, scaling),
        st.floats(1e-3, 0.4),
        st.floats(0.1, 0.5),
        st.sampled_from(Scaling),
    )
    return st.one_of(categories, categories, integers, *([numbers] if infinite else []))


@st.composite
def spaces(draw: st.DrawFn, *, infinite: bool = True, max_ranges: int = 5) -> SearchSpace:
    """A space of one to ``max_ranges`` ranges; without ``infinite``, of finite ones."""
    count = draw(st.integers(1, max_ranges))
    built: list[ParameterRange] = []
    for index in range(count):
        item = draw(_plain(f"p{index}", infinite))
        parents = [other for other in built if isinstance(other, CategoricalRange)]
        if bool(parents) and draw(st.booleans()):
            parent = draw(st.sampled_from(parents))
            values = draw(st.lists(st.sampled_from(parent.choices), min_size=1, unique_by=repr))
            item = replace(item, condition=Condition(parent.name, tuple(values)))
        built.append(item)
    return SearchSpace(tuple(draw(st.permutations(built))))


def all_configurations(space: SearchSpace) -> list[dict[str, Value]]:
    """Every configuration of a finite space, found the slow way: all combinations, without what does not apply."""
    values = [[item.value_at(position) for position in range(item.cardinality or 0)] for item in space.ranges]
    found: dict[str, dict[str, Value]] = {}
    for combination in itertools.product(*values):
        whole = dict(zip((item.name for item in space.ranges), combination, strict=True))
        point = {item.name: whole[item.name] for item in space.ranges if _applies(space, item, whole)}
        found[repr(point)] = point
    return list(found.values())


def _applies(space: SearchSpace, item: ParameterRange, whole: Mapping[str, Value]) -> bool:
    """Whether a range and all that it depends on apply."""
    while item.condition is not None:
        wanted = [repr(value) for value in item.condition.values]
        if repr(whole[item.condition.name]) not in wanted:
            return False
        item = next(other for other in space.ranges if other.name == item.condition.name)
    return True
