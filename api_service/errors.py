"""From the domain's error tree to google.rpc.Status: the only place that knows gRPC's codes."""

from __future__ import annotations

from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from hrnn_tuner.domain import errors

DOMAIN = "hrnn-tuner"
#: Trailers are limited to about 8 KiB by many proxies; more violations than this are counted instead of listed.
MAX_VIOLATIONS = 50
RETRY_AFTER_S = 1

_CODES: dict[type[errors.TunerError], int] = {
    errors.InvalidRequest: code_pb2.INVALID_ARGUMENT,
    errors.NotImplementedYet: code_pb2.UNIMPLEMENTED,
    errors.NotFound: code_pb2.NOT_FOUND,
    errors.AlreadyExists: code_pb2.ALREADY_EXISTS,
    errors.FailedPrecondition: code_pb2.FAILED_PRECONDITION,
    errors.LimitExceeded: code_pb2.RESOURCE_EXHAUSTED,
    errors.OutOfRange: code_pb2.OUT_OF_RANGE,
    errors.ServiceUnavailable: code_pb2.UNAVAILABLE,
}


def _pack(
    message: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest | error_details_pb2.RetryInfo,
) -> any_pb2.Any:
    """Wraps a detail."""
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def to_status(error: errors.TunerError) -> status_pb2.Status:
    """The status of a domain error, with its details."""
    message = str(error)
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=dict(error.metadata))
    details = [_pack(info)]
    if isinstance(error, (errors.InvalidRequest, errors.NotImplementedYet)):
        listed = error.violations[:MAX_VIOLATIONS]
        bad = error_details_pb2.BadRequest(
            field_violations=[
                error_details_pb2.BadRequest.FieldViolation(
                    field=item.field, description=item.description, reason=item.reason
                )
                for item in listed
            ]
        )
        details.append(_pack(bad))
        left = len(error.violations) - len(listed)
        message = "; ".join(f"{item.field}: {item.description}" for item in listed[:5])
        if len(error.violations) > 5:
            message += f"; and {len(error.violations) - 5} more" + (f" ({left} not listed)" if left else "")
    if isinstance(error, errors.ServiceUnavailable):
        details.append(_pack(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=RETRY_AFTER_S))))
    return status_pb2.Status(code=_CODES[type(error)], message=message, details=details)


def internal_status(request_id: str) -> status_pb2.Status:
    """The status of an unexpected error: no detail leaves the process, but the id finds it in the log."""
    info = error_details_pb2.ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"request_id": request_id})
    message = f"internal error; the server's log has the details under request_id {request_id}"
    return status_pb2.Status(code=code_pb2.INTERNAL, message=message, details=[_pack(info)])
