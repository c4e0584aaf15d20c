"""Rows of API tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, update

from hrnn_tuner.domain.access import Role
from hrnn_tuner.domain.api_token import ApiToken
from hrnn_tuner.store.schema import tokens


class TokenRepository:
    """Reads and writes tokens. Rows are never deleted: the audit log names their ids."""

    def __init__(self, connection: Connection) -> None:
        """Works in the connection's transaction."""
        self._connection = connection

    def add(self, token: ApiToken) -> None:
        """Inserts a new token."""
        values = {
            "id": token.id,
            "project": token.project,
            "role": token.role.value,
            "secret_hash": token.secret_hash,
            "created_at": token.created_at,
            "expires_at": token.expires_at,
            "revoked_at": token.revoked_at,
            "description": token.description,
        }
        self._connection.execute(insert(tokens).values(**values))

    def get(self, token_id: str) -> ApiToken | None:
        """Reads by id."""
        row = self._connection.execute(select(tokens).where(tokens.c.id == token_id)).first()
        return None if row is None else _to_token(row)

    def all(self, project: str | None = None) -> list[ApiToken]:
        """All tokens, or those of a project, by project and creation."""
        query = select(tokens).order_by(tokens.c.project, tokens.c.created_at, tokens.c.id)
        if project is not None:
            query = query.where(tokens.c.project == project)
        return [_to_token(row) for row in self._connection.execute(query)]

    def revoke(self, token_id: str, now: datetime) -> ApiToken | None:
        """Makes a token worthless, once; None when there is none."""
        unrevoked = and_(tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
        self._connection.execute(update(tokens).where(unrevoked).values(revoked_at=now))
        return self.get(token_id)


def _to_token(row: Row[Any]) -> ApiToken:
    """A row as a value."""
    return ApiToken(
        id=row.id,
        project=row.project,
        role=Role(row.role),
        secret_hash=row.secret_hash,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        description=row.description,
    )
