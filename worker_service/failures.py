"""What an exception out of a trainer means. Recognises torch's errors by name: nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass

from hrnn_tuner.algorithms.contract import AlgorithmError, InvalidObjectiveError

MAX_REASON_LENGTH = 1024
#: What torch says, in a plain RuntimeError, when the host, the driver or a library gets no memory.
_SHORTAGES = ("DefaultCPUAllocator: can't allocate memory", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")


@dataclass(frozen=True)
class Failure:
    """Why a training job failed.

    Attributes:
        cause: A FailureCause without its prefix.
        reason: For people, at most 1024 characters.
        expected: The trainer said so itself; otherwise the traceback is worth a log line.
        poisons: The process cannot be trusted with another training job.
    """

    cause: str
    reason: str
    expected: bool = False
    poisons: bool = False


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def classify(error: BaseException) -> Failure:
    """Maps an exception to the failure that is reported."""
    described = f"{type(error).__name__}: {error}"[:MAX_REASON_LENGTH]
    if isinstance(error, InvalidObjectiveError):
        return Failure("INVALID_OBJECTIVE", str(error)[:MAX_REASON_LENGTH], expected=True)
    if isinstance(error, AlgorithmError):
        return Failure("ALGORITHM_ERROR", str(error)[:MAX_REASON_LENGTH], expected=True)
    if _names(error) & {"MemoryError", "OutOfMemoryError"} or any(text in str(error) for text in _SHORTAGES):
        return Failure("OUT_OF_MEMORY", described)
    # After an asynchronous device error (an assertion in a kernel, say) every later call of the process fails too.
    poisons = "AcceleratorError" in _names(error) or str(error).startswith("CUDA error")
    return Failure("ALGORITHM_ERROR", described, poisons=poisons)
