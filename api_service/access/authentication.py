"""From what a call carries to its caller: a bearer token, or the name in a verified client certificate."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from api_service.run_blocking import RunBlocking
from hrnn_tuner.domain.access import LOCAL, Principal, Role, is_project_name
from hrnn_tuner.domain.api_token import ApiToken, parse_token
from hrnn_tuner.domain.clock import Clock
from hrnn_tuner.domain.errors import Unauthenticated
from hrnn_tuner.store import Store

#: So long a replica believes what it read of a token: a revoked one stops within it.
TOKEN_FRESH_S = 5.0
_KEPT_TOKENS = 1024
_CERTIFICATE_SCHEME = "hrnn-tuner"
_ALTERNATIVE_NAMES = "x509_subject_alternative_name"
_HOW = (
    "send the metadata 'authorization: Bearer TOKEN' with a token of `hrnn-tuner token create`, or a client certificate"
    " with the alternative name URI:hrnn-tuner://PROJECT/ROLE"
)


class Authenticator:
    """Finds out who calls. For one event loop.

    Args:
        store: Holds the tokens.
        run_blocking: Runs what reads them.
        clock: For the expiry of tokens.
        required: Whether callers must prove who they are; if not, everybody is `LOCAL`.
    """

    def __init__(self, store: Store, run_blocking: RunBlocking, clock: Clock, *, required: bool) -> None:
        self._store = store
        self._run_blocking = run_blocking
        self._clock = clock
        self.required = required
        self._known: OrderedDict[str, tuple[ApiToken | None, float]] = OrderedDict()

    async def principal(
        self, metadata: Iterable[tuple[str, str | bytes]], peer: Mapping[str, Iterable[bytes]]
    ) -> Principal:
        """The caller; a token counts before a certificate.

        Args:
            metadata: The call's.
            peer: What gRPC knows of the other end of the connection; its certificates are verified.

        Raises:
            Unauthenticated: When there is nothing that counts. The error does not say what was wrong with a token.
        """
        if not self.required:
            return LOCAL
        given = [value for key, value in metadata if key == "authorization"]
        if given:
            return await self._by_token(given)
        named = _by_certificate(peer)
        if named is None:
            raise Unauthenticated(f"the call has no token: {_HOW}", reason="TOKEN_MISSING")
        return named

    async def _by_token(self, given: list[str | bytes]) -> Principal:
        """The owner of the one token that a call carries."""
        scheme, _, text = str(given[0]).partition(" ") if len(given) == 1 else ("", "", "")
        parsed = parse_token(text) if scheme.lower() == "bearer" else None
        token = None if parsed is None else await self._token(parsed[0])
        if parsed is None or token is None or not token.opened_by(parsed[1], self._clock()):
            text = "the token does not count: it is unknown, malformed, expired or revoked"
            raise Unauthenticated(text, reason="TOKEN_INVALID")
        return token.principal

    async def _token(self, token_id: str) -> ApiToken | None:
        """A stored token, as it was a few seconds ago at most."""
        known = self._known.get(token_id)
        now = time.monotonic()
        if known is not None and now - known[1] < TOKEN_FRESH_S:
            return known[0]

        def read() -> ApiToken | None:
            with self._store.read() as tx:
                return tx.tokens.get(token_id)

        token = await self._run_blocking(read)
        self._known[token_id] = (token, now)
        self._known.move_to_end(token_id)
        if len(self._known) > _KEPT_TOKENS:
            self._known.popitem(last=False)
        return token


def _by_certificate(peer: Mapping[str, Iterable[bytes]]) -> Principal | None:
    """The caller that a client certificate names; None without one that names a project and a role."""
    roles = {role.value: role for role in Role}
    for raw in peer.get(_ALTERNATIVE_NAMES, ()):
        name = raw.decode(errors="replace")
        if not name.startswith(f"{_CERTIFICATE_SCHEME}://"):
            continue
        parts = urlsplit(name)
        role = roles.get(parts.path.removeprefix("/"))
        if role is not None and is_project_name(parts.netloc):
            return Principal(parts.netloc, role, f"certificate:{name}")
    return None
