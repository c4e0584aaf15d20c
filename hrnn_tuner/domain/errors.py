"""Every error that a caller of the API can see.

::

    TunerError
    ├── InvalidRequest          a field is wrong; holds every violation at once
    ├── NotFound                no such tuning job, training job or algorithm
    ├── AlreadyExists           the name, or the request id, is taken
    ├── FailedPrecondition      the resource is not in a state for this
    ├── LimitExceeded           a quota; names limit and use
    │   └── TooFast             too many calls in a short time; says when to try again
    ├── OutOfRange              a position that the event log does not have
    ├── ServiceUnavailable      the database is away; try again
    ├── Unauthenticated         nobody knows who is calling
    └── PermissionDenied        the caller's role does not allow this
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """One wrong field.

    Attributes:
        field: Path in the request, e.g. ``tuning_job.training_job_definitions[0].objective``.
        description: The value and what is allowed.
        reason: Stable identifier for programs.
    """

    field: str
    description: str
    reason: str = "INVALID_VALUE"


class TunerError(Exception):
    """Base of all errors that a caller can see.

    Attributes:
        reason: Stable identifier for programs; each class has one, an instance may have a more precise one.
        metadata: Further facts for programs.
    """

    reason = "UNKNOWN"

    def __init__(self, message: str, *, reason: str | None = None, metadata: Mapping[str, str] | None = None) -> None:
        """Takes the text for people."""
        super().__init__(message)
        self.reason = reason or self.reason
        self.metadata = dict(metadata or {})


class InvalidRequest(TunerError):
    """One or more fields are wrong."""

    reason = "INVALID_REQUEST"

    def __init__(self, violations: Sequence[Violation]) -> None:
        """Takes at least one violation."""
        super().__init__("; ".join(f"{item.field}: {item.description}" for item in violations))
        self.violations = tuple(violations)


class NotFound(TunerError):
    """The named resource does not exist."""

    reason = "NOT_FOUND"


class AlreadyExists(TunerError):
    """The name or the request id is taken."""

    reason = "ALREADY_EXISTS"


class FailedPrecondition(TunerError):
    """The resource is not in a state that allows this."""

    reason = "FAILED_PRECONDITION"


class LimitExceeded(TunerError):
    """A quota is used up."""

    reason = "LIMIT_EXCEEDED"


class TooFast(LimitExceeded):
    """Too many calls in a short time.

    Attributes:
        retry_after_s: Seconds until one more call is allowed.
    """

    reason = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_s: float, metadata: Mapping[str, str] | None = None) -> None:
        """Takes when to try again."""
        super().__init__(message, metadata=metadata)
        self.retry_after_s = retry_after_s


class OutOfRange(TunerError):
    """A position that the event log does not have."""

    reason = "RESUME_TOKEN_EXPIRED"


class ServiceUnavailable(TunerError):
    """Something the service needs is away for the moment."""

    reason = "UNAVAILABLE"


class Unauthenticated(TunerError):
    """The call has no token or certificate that counts."""

    reason = "UNAUTHENTICATED"


class PermissionDenied(TunerError):
    """The caller's role does not allow this."""

    reason = "PERMISSION_DENIED"
