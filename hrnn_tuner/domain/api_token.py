"""Bearer tokens: ``hrnn_<id>_<secret>``. The id finds the token, the secret proves that it is the caller's.

Only a SHA-256 of the secret is stored. It is 256 random bits: there is nothing to guess that a slow hash would protect.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from hrnn_tuner.domain.access import Principal, Role

_ID_BYTES = 6
_SECRET_BYTES = 32
_TOKEN = re.compile(r"hrnn_(?P<id>[0-9a-f]{12})_(?P<secret>[A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class ApiToken:
    """A token as it is stored.

    Attributes:
        id: Public part, unique.
        project: The project that it is for.
        role: What it allows.
        secret_hash: SHA-256 of the secret, in hexadecimal.
        created_at: When it was made.
        expires_at: From when on it is worth nothing; None for never.
        revoked_at: When it was revoked, or None.
        description: Whose it is or what for.
    """

    id: str
    project: str
    role: Role
    secret_hash: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    description: str = ""

    def opened_by(self, secret: str, now: datetime) -> bool:
        """Whether a secret is this token's, and the token still counts; takes as long for any secret."""
        known = hmac.compare_digest(self.secret_hash.encode(), hash_of(secret).encode())
        return known and self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    @property
    def principal(self) -> Principal:
        """Its owner as a caller."""
        return Principal(self.project, self.role, f"token:{self.id}")


def hash_of(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_token(
    project: str, role: Role, now: datetime, *, expires_at: datetime | None = None, description: str = ""
) -> tuple[ApiToken, str]:
    """A new token, and its text, which nothing can give again."""
    token_id, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
    token = ApiToken(token_id, project, role, hash_of(secret), now, expires_at, description=description)
    return token, f"hrnn_{token_id}_{secret}"


def parse_token(text: str) -> tuple[str, str] | None:
    """Id and secret of a token's text; None when it is none."""
    match = _TOKEN.fullmatch(text)
    return None if match is None else (match["id"], match["secret"])
