"""What a trainer's exception means."""

from __future__ import annotations

import pytest

from hrnn_tuner.algorithms import AlgorithmError, DataError, InvalidObjectiveError
from worker_service.failures import classify


class OutOfMemoryError(RuntimeError):
    """Named like torch's."""


class AcceleratorError(RuntimeError):
    """Named like torch's."""


@pytest.mark.parametrize(
    ("error", "cause", "reason"),
    [
        (AlgorithmError("no"), "ALGORITHM_ERROR", "no"),
        (DataError("no rows"), "ALGORITHM_ERROR", "no rows"),
        (InvalidObjectiveError("loss is NaN"), "INVALID_OBJECTIVE", "loss is NaN"),
        (MemoryError("host"), "OUT_OF_MEMORY", "MemoryError: host"),
        (OutOfMemoryError("device"), "OUT_OF_MEMORY", "OutOfMemoryError: device"),
        (TypeError("bad"), "ALGORITHM_ERROR", "TypeError: bad"),
    ],
)
def test_an_exception_is_reported_with_its_cause(error: Exception, cause: str, reason: str) -> None:
    failure = classify(error)
    assert (failure.cause, failure.reason) == (cause, reason)


def test_only_an_algorithms_own_errors_are_expected() -> None:
    assert classify(DataError("x")).expected
    assert not classify(ValueError("x")).expected
    assert not classify(MemoryError()).expected


@pytest.mark.parametrize("error", [AcceleratorError("x"), RuntimeError("CUDA error: device-side assert triggered")])
def test_a_device_error_makes_the_process_unfit(error: Exception) -> None:
    assert classify(error).poisons
    assert not classify(OutOfMemoryError("CUDA out of memory")).poisons


def test_a_reason_is_cut_to_what_the_contract_allows() -> None:
    assert len(classify(ValueError("x" * 5000)).reason) == 1024
    assert len(classify(AlgorithmError("x" * 5000)).reason) == 1024
