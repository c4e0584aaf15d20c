"""What a call of the client can raise.

::

    TuningError                         any failed call; what the server said is decoded into its attributes
    ├── InvalidRequestError             INVALID_ARGUMENT, OUT_OF_RANGE; also a specification that cannot be read
    ├── NotImplementedByServerError     UNIMPLEMENTED: a field or method that this server does not offer yet
    ├── NotFoundError                   NOT_FOUND
    ├── AlreadyExistsError              ALREADY_EXISTS
    ├── FailedPreconditionError         FAILED_PRECONDITION: not in this state
    ├── PermissionDeniedError           UNAUTHENTICATED, PERMISSION_DENIED
    ├── ResourceExhaustedError          RESOURCE_EXHAUSTED: a quota, or a message that is too large
    ├── DeadlineExceededError           DEADLINE_EXCEEDED, and a wait that took too long; also a `TimeoutError`
    ├── UnavailableError                UNAVAILABLE, after all retries
    └── ServerError                     anything else: a defect of the server or of the connection
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status


@dataclass(frozen=True)
class Violation:
    """One thing that is wrong with a request.

    Attributes:
        field: Path of the field, e.g. ``tuning_job.resource_limits.max_parallel_training_jobs``.
        description: What is wrong, with the value and what is allowed.
    """

    field: str
    description: str


class TuningError(Exception):
    """A call failed.

    Attributes:
        message: The server's message.
        code: The `grpc.StatusCode`.
        reason: The stable reason of google.rpc.ErrorInfo, e.g. ``TUNING_JOB_NOT_FOUND``; empty without one.
        metadata: The metadata of google.rpc.ErrorInfo.
        violations: Everything that is wrong with the request, all at once.
        retry_after_s: Seconds after which trying again helps (google.rpc.RetryInfo); None when it was not said.
        attempts: How often the call was sent before this was raised.
    """

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after_s = retry_after_s
        self.attempts = 1

    def __str__(self) -> str:
        lines = [self.message, *(f"  {item.field}: {item.description}" for item in self.violations)]
        return "\n".join(lines)


class InvalidRequestError(TuningError):
    """The request breaks a rule; `violations` names every field."""


class NotImplementedByServerError(TuningError):
    """The request asks for something that this server does not offer."""


class NotFoundError(TuningError):
    """There is no such thing."""


class AlreadyExistsError(TuningError):
    """The name, or the request id with another body, is taken."""


class FailedPreconditionError(TuningError):
    """The thing is in a state that does not allow this."""


class PermissionDeniedError(TuningError):
    """The server does not know or does not allow the caller."""


class ResourceExhaustedError(TuningError):
    """A quota is used up, or a message is too large."""


class DeadlineExceededError(TuningError, TimeoutError):
    """It took longer than the caller allowed."""


class UnavailableError(TuningError):
    """The server cannot be reached or cannot serve now."""


class ServerError(TuningError):
    """The server or the connection failed in a way that is no part of the contract."""


_BY_CODE: Mapping[grpc.StatusCode, type[TuningError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequestError,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequestError,
    grpc.StatusCode.UNIMPLEMENTED: NotImplementedByServerError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExistsError,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPreconditionError,
    grpc.StatusCode.UNAUTHENTICATED: PermissionDeniedError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhaustedError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
}


def error_from_rpc(error: grpc.RpcError) -> TuningError:
    """Decodes a failed call, of the sync or of the asyncio channel, with its google.rpc details."""
    reason, metadata, violations, retry_after_s = "", {}, list[Violation](), None
    for detail in _details(error):
        if detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad_request = error_details_pb2.BadRequest()
            detail.Unpack(bad_request)
            violations += [Violation(item.field, item.description) for item in bad_request.field_violations]
        elif detail.Is(error_details_pb2.PreconditionFailure.DESCRIPTOR):
            failure = error_details_pb2.PreconditionFailure()
            detail.Unpack(failure)
            violations += [Violation(item.subject, item.description) for item in failure.violations]
        elif detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            detail.Unpack(info)
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            detail.Unpack(retry)
            retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()
    code = error.code()
    return _BY_CODE.get(code, ServerError)(
        error.details() or code.name,
        code=code,
        reason=reason,
        metadata=metadata,
        violations=violations,
        retry_after_s=retry_after_s,
    )


def _details(error: grpc.RpcError) -> Sequence[Any]:
    """The google.rpc details of a failed call; none when a proxy or the channel itself made the error."""
    try:
        status = rpc_status.from_call(error)
    except ValueError:  # the details contradict the status line: only the latter can be trusted
        return ()
    return () if status is None else list(status.details)
