"""The caller of the RPC that runs now."""

from __future__ import annotations

from contextvars import ContextVar

from hrnn_tuner.domain.access import Principal

_CALLER: ContextVar[Principal] = ContextVar("caller")


def caller() -> Principal:
    """Who calls; in a handler only.

    Raises:
        LookupError: When nobody was let in: a handler without the access interceptor serves nobody.
    """
    return _CALLER.get()


def enter(principal: Principal) -> None:
    """Sets the caller of the RPC whose task this is."""
    _CALLER.set(principal)
