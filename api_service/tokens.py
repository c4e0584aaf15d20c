"""Opaque tokens: pages of lists, and positions in an event log."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from hrnn_tuner.domain.errors import InvalidRequest, OutOfRange, Violation
from hrnn_tuner.store.paging import Cursor


def _encode(document: Any) -> str:
    """JSON as text that needs no escaping anywhere."""
    return base64.urlsafe_b64encode(json.dumps(document, separators=(",", ":")).encode()).decode().rstrip("=")


def _decode(token: str) -> Any:
    """Inverse of `_encode`; None for anything else."""
    try:
        return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error, UnicodeDecodeError, RecursionError):  # the last: nested too deep
        return None


def _fingerprint(request: Message) -> str:
    """Hash of everything in a list request but the page."""
    rest = type(request)()
    rest.CopyFrom(request)
    rest.ClearField("page_token")
    rest.ClearField("page_size")
    return hashlib.sha256(rest.SerializeToString(deterministic=True)).hexdigest()[:16]


def _digest(fingerprint: str, cursor: Sequence[Any]) -> str:
    """Ties a cursor to its list: a token that was put together by hand is no token."""
    return hashlib.sha256(json.dumps([fingerprint, list(cursor)]).encode()).hexdigest()[:16]


def page_token(request: Message, cursor: Cursor | None) -> str:
    """The token of the page behind a cursor; empty for no further page."""
    return "" if cursor is None else _encode([_digest(_fingerprint(request), cursor), list(cursor)])


def page_cursor(request: Any) -> Cursor | None:
    """The cursor in a list request's token.

    Raises:
        InvalidRequest: When the token is not one of this list's.
    """
    if not request.page_token:
        return None
    document = _decode(request.page_token)
    valid = isinstance(document, list) and len(document) == 2 and isinstance(document[1], list)
    if not valid or document[0] != _digest(_fingerprint(request), document[1]):
        text = "not a token of this list; allowed: next_page_token of the page before, with the same filter and order"
        raise InvalidRequest([Violation("page_token", text, "INVALID_PAGE_TOKEN")])
    return tuple(document[1])


def resume_token(tuning_job_id: str, revision: int) -> str:
    """The position behind a revision of a tuning job's event log."""
    return _encode([tuning_job_id, revision])


def resume_revision(token: str, tuning_job_id: str, last_revision: int) -> int:
    """The revision in a resume token; 0 for an empty token.

    Raises:
        InvalidRequest: When it is no token of this tuning job.
        OutOfRange: When the log does not reach so far.
    """
    if not token:
        return 0
    document = _decode(token)
    valid = isinstance(document, list) and len(document) == 2 and isinstance(document[1], int) and document[1] >= 0
    if not valid or document[0] != tuning_job_id:
        text = "not a token of this tuning job; allowed: resume_token of the job or of one of its events, or empty"
        raise InvalidRequest([Violation("resume_token", text, "INVALID_RESUME_TOKEN")])
    revision = int(document[1])
    if revision > last_revision:
        raise OutOfRange("the resume token is ahead of the event log: read the tuning job again and use its token")
    return revision
