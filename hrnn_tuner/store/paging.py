"""Pages by key: the next page starts behind the last row's sort key, so inserts and deletes shift nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_

Row = TypeVar("Row")
#: Sort key of a row, as plain JSON values.
Cursor: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows, and the cursor behind which the next page starts; None on the last page."""

    rows: tuple[Row, ...]
    next: Cursor | None


def keyset(
    query: Select[Any], keys: Sequence[ColumnElement[Any]], after: Cursor | None, *, descending: bool, limit: int
) -> Select[Any]:
    """Orders a query by its keys and restricts it to what lies behind a cursor.

    Args:
        query: The filtered query.
        keys: Sort keys; together unique, none of them NULL.
        after: Values of the keys in the last row of the page before.
        descending: Direction of all keys.
        limit: Most rows; one more is fetched to see whether there is a next page.
    """
    if after is not None:
        clauses = []
        for position, key in enumerate(keys):
            equal = [earlier == value for earlier, value in zip(keys[:position], after, strict=False)]
            beyond = key < after[position] if descending else key > after[position]
            clauses.append(and_(*equal, beyond))
        query = query.where(or_(*clauses))
    order = [key.desc() if descending else key.asc() for key in keys]
    return query.order_by(*order).limit(limit + 1)
