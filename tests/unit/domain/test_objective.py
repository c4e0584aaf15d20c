from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.domain.objective import Objective, ObjectiveType, best_number

MAXIMIZE = Objective(ObjectiveType.MAXIMIZE, "score")
MINIMIZE = Objective(ObjectiveType.MINIMIZE, "loss")
VALUES = st.lists(st.none() | st.floats(), max_size=20)


@given(VALUES, st.randoms())
def test_the_best_does_not_depend_on_the_order(values: list[float | None], rng: object) -> None:
    finals = list(enumerate(values, start=1))
    shuffled = list(finals)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert best_number(MAXIMIZE, finals) == best_number(MAXIMIZE, shuffled)


@given(VALUES)
def test_nan_and_infinities_never_win(values: list[float | None]) -> None:
    best = best_number(MINIMIZE, enumerate(values))
    finite = [value for value in values if value is not None and math.isfinite(value)]
    assert (best is None) == (not finite)
    if best is not None:
        assert values[best] == min(finite)


def test_ties_go_to_the_lower_number() -> None:
    assert best_number(MAXIMIZE, [(3, 1.0), (2, 1.0), (5, 0.5)]) == 2
