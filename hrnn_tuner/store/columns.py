"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ENCODER = json.JSONEncoder(separators=(",", ":"))  # kept: `json.dumps` would make one for each document


class Instant(TypeDecorator[datetime]):
    """An aware UTC time as microseconds since 1970: exact and sortable everywhere, without time zone rules."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Converts to microseconds."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Converts from microseconds."""
        return None if value is None else _EPOCH + timedelta(microseconds=int(value))


class Json(TypeDecorator[Any]):
    """A JSON document as text; NaN and infinities survive, which the databases' own JSON types refuse."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:
        """Serializes."""
        return None if value is None else _ENCODER.encode(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any:
        """Parses."""
        return None if value is None else json.loads(value)
