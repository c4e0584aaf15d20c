"""Which epoch counts."""

from __future__ import annotations

import math

import pytest

from worker_service.best_epoch import BestEpoch


def _best(values: list[float], *, maximize: bool) -> float | None:
    best = BestEpoch("m", maximize=maximize)
    for epoch, value in enumerate(values, start=1):
        best.add({"m": value, "epoch": epoch})
    return None if best.metrics is None else best.metrics["epoch"]


@pytest.mark.parametrize(
    ("values", "maximize", "expected"),
    [
        ([1.0, 3.0, 2.0], True, 2),
        ([3.0, 1.0, 2.0], False, 2),
        ([2.0, 2.0], True, 1),
        ([math.nan, 1.0, math.nan], True, 2),
        ([math.nan, 1.0, 0.5], False, 3),
        ([math.inf, 1.0], True, 2),
        ([-math.inf, 1.0], False, 2),
        ([math.nan], True, None),
        ([], True, None),
    ],
)
def test_the_best_finite_epoch_counts(values: list[float], maximize: bool, expected: int | None) -> None:
    assert _best(values, maximize=maximize) == expected


def test_every_metric_of_the_best_epoch_is_kept() -> None:
    best = BestEpoch("m", maximize=True)
    best.add({"m": 2.0, "other": 7.0})
    best.add({"m": 1.0, "other": 9.0})
    assert best.metrics == {"m": 2.0, "other": 7.0}


def test_the_complaint_says_whether_the_metric_was_missing_or_not_finite() -> None:
    best = BestEpoch("m", maximize=True)
    best.add({"other": 1.0})
    assert "never reported" in best.complaint
    best.add({"m": math.nan})
    assert "NaN or infinite" in best.complaint
