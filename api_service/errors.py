"""From the domain's error tree to google.rpc.Status: the only place that knows gRPC's codes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from hrnn_tuner.domain import errors

DOMAIN = "hrnn-tuner"
#: gRPC drops an answer whose trailers exceed 8 KiB, and with it the whole error. The limits below add up to less, in
#: base64 and percent-encoding; violations beyond them are counted instead of listed.
_VIOLATIONS_BYTES = 3_000
_MESSAGE_BYTES = 500
_TEXT_BYTES = 400
_SHOWN_IN_MESSAGE = 5
RETRY_AFTER_S = 1

_CODES: dict[type[errors.TunerError], int] = {
    errors.InvalidRequest: code_pb2.INVALID_ARGUMENT,
    errors.NotFound: code_pb2.NOT_FOUND,
    errors.AlreadyExists: code_pb2.ALREADY_EXISTS,
    errors.FailedPrecondition: code_pb2.FAILED_PRECONDITION,
    errors.LimitExceeded: code_pb2.RESOURCE_EXHAUSTED,
    errors.TooFast: code_pb2.RESOURCE_EXHAUSTED,
    errors.OutOfRange: code_pb2.OUT_OF_RANGE,
    errors.ServiceUnavailable: code_pb2.UNAVAILABLE,
    errors.Unauthenticated: code_pb2.UNAUTHENTICATED,
    errors.PermissionDenied: code_pb2.PERMISSION_DENIED,
}


def _pack(
    message: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest | error_details_pb2.RetryInfo,
) -> any_pb2.Any:
    """Wraps a detail."""
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def _shortened(text: str, longest: int) -> str:
    """A text of so many bytes at most; what is too long loses its middle."""
    encoded = text.encode()
    if len(encoded) <= longest:
        return text
    half = (longest - len("…".encode())) // 2
    return encoded[:half].decode(errors="ignore") + "…" + encoded[-half:].decode(errors="ignore")


def _field_violations(
    violations: Sequence[errors.Violation],
) -> list[error_details_pb2.BadRequest.FieldViolation]:
    """As many violations as an answer can carry, each with its path, value and what is allowed."""
    listed: list[error_details_pb2.BadRequest.FieldViolation] = []
    room = _VIOLATIONS_BYTES
    for item in violations:
        message = error_details_pb2.BadRequest.FieldViolation(
            field=_shortened(item.field, _TEXT_BYTES),
            description=_shortened(item.description, _TEXT_BYTES),
            reason=item.reason,
        )
        room -= message.ByteSize()
        if room < 0:
            break
        listed.append(message)
    return listed


def _retry_after(seconds: float) -> error_details_pb2.RetryInfo:
    """Says when trying again may help."""
    delay = duration_pb2.Duration()
    delay.FromMilliseconds(math.ceil(seconds * 1000))
    return error_details_pb2.RetryInfo(retry_delay=delay)


def to_status(error: errors.TunerError) -> status_pb2.Status:
    """The status of a domain error, with its details."""
    message = _shortened(str(error), _MESSAGE_BYTES)
    metadata = {name: _shortened(value, _TEXT_BYTES) for name, value in error.metadata.items()}
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)
    details = [_pack(info)]
    if isinstance(error, errors.InvalidRequest):
        listed = _field_violations(error.violations)
        details.append(_pack(error_details_pb2.BadRequest(field_violations=listed)))
        shown = "; ".join(f"{item.field}: {item.description}" for item in listed[:_SHOWN_IN_MESSAGE])
        message = _shortened(shown, _MESSAGE_BYTES)
        more, left = len(error.violations) - _SHOWN_IN_MESSAGE, len(error.violations) - len(listed)
        if more > 0:
            message += f"; and {more} more" + (f" ({left} not listed)" if left else "")
    if isinstance(error, errors.ServiceUnavailable):
        details.append(_pack(_retry_after(RETRY_AFTER_S)))
    if isinstance(error, errors.TooFast):
        details.append(_pack(_retry_after(error.retry_after_s)))
    return status_pb2.Status(code=_CODES[type(error)], message=message, details=details)


def internal_status(request_id: str) -> status_pb2.Status:
    """The status of an unexpected error: no detail leaves the process, but the id finds it in the log."""
    info = error_details_pb2.ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"request_id": request_id})
    message = f"internal error; the server's log has the details under request_id {request_id}"
    return status_pb2.Status(code=code_pb2.INTERNAL, message=message, details=[_pack(info)])
