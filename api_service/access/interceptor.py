"""Lets callers in: who is it, may it do this, not too often; only then its request is read and parsed.

gRPC reads the request of a unary call before it calls the handler, and waits for it as long as the client likes. Here
the methods are therefore registered as if their requests were streams: what a client without access sends is never
read, and one that sends nothing does not hold its place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import DecodeError

from api_service.access import audit
from api_service.access.authentication import Authenticator
from api_service.access.caller import enter
from api_service.access.rate_limit import RateLimiter
from api_service.access.roles import NEEDED_ROLES, changes
from api_service.interceptor import fail
from api_service.own_methods import Continuation, Stream, Unary, is_own
from hrnn_tuner.domain.access import Principal
from hrnn_tuner.domain.errors import InvalidRequest, PermissionDenied, TunerError, Unauthenticated, Violation

#: So long a client may take to send the one message of its request.
REQUEST_TIMEOUT_S = 10.0
#: So often a stream looks whether its caller still has access.
RECHECK_S = 15.0
#: What load balancers and container engines ask, which have no token.
_OPEN = frozenset({"/grpc.health.v1.Health/Check"})

Context: TypeAlias = grpc.aio.ServicerContext


class AccessInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc] # grpc is untyped
    """The innermost interceptor: a handler runs with a caller that may call it.

    Args:
        authenticator: Knows who calls.
        limiter: Of authenticated callers; without authentication there is nobody to tell apart.
    """

    def __init__(self, authenticator: Authenticator, limiter: RateLimiter) -> None:
        self._authenticator = authenticator
        self._limiter = limiter

    async def intercept_service(
        self, continuation: Continuation, details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler:
        """Wraps the method's handler."""
        handler = await continuation(details)
        if handler is None or details.method in _OPEN:
            return handler
        method = details.method.rpartition("/")[2]
        if not is_own(details.method):
            return self._foreign(handler, details.method)
        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(
                self._stream(handler.unary_stream, method, handler.request_deserializer),
                response_serializer=handler.response_serializer,
            )
        return grpc.stream_unary_rpc_method_handler(
            self._unary(handler.unary_unary, method, handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )

    def _unary(self, method: Unary, name: str, parse: Any) -> Unary:
        """Wraps a method with one answer."""

        async def admitted(requests: AsyncIterator[bytes], context: Context) -> Any:
            principal = await self._admit(name, context)
            request = await _received(requests, parse)
            if not changes(name):
                return await method(request, context)
            outcome = "FAILED"
            try:
                answer = await method(request, context)
                outcome = "OK"
            except TunerError as error:
                outcome = error.reason
                raise
            finally:
                audit.called(principal, name, audit.resource_of(request), outcome, context.peer())
            return answer

        return admitted

    def _stream(self, method: Stream, name: str, parse: Any) -> Stream:
        """Wraps a method with a stream of answers; it ends when its caller's access does."""

        async def admitted(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[Any]:
            principal = await self._admit(name, context)
            request = await _received(requests, parse)
            checked_at = time.monotonic()
            async for answer in method(request, context):
                if time.monotonic() - checked_at > RECHECK_S:
                    checked_at = time.monotonic()
                    if await self._identify(name, context) != principal:
                        raise Unauthenticated("the token does not count any more", reason="TOKEN_INVALID")
                yield answer

        return admitted

    def _foreign(self, handler: grpc.RpcMethodHandler, name: str) -> grpc.RpcMethodHandler:
        """Reflection, and the health of whoever asks for more than `Check`, are for callers that are known."""
        if not self._authenticator.required:
            return handler
        codec = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }

        async def unary(request: Any, context: Context) -> Any:
            await self._identify_or_fail(name, context)
            return await handler.unary_unary(request, context)

        async def stream(request: Any, context: Context) -> AsyncIterator[Any]:
            await self._identify_or_fail(name, context)
            async for answer in (handler.unary_stream or handler.stream_stream)(request, context):
                yield answer

        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(unary, **codec)
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(stream, **codec)
        return grpc.stream_stream_rpc_method_handler(stream, **codec)

    async def _admit(self, method: str, context: Context) -> Principal:
        """The caller, if it may call this method now.

        Raises:
            Unauthenticated: When nobody knows who it is.
            PermissionDenied: When its role does not allow the method.
            TooFast: When it calls too often.
        """
        principal = await self._identify(method, context)
        needed = NEEDED_ROLES[method]
        if not principal.role.includes(needed):
            audit.refused(principal, method, PermissionDenied.reason, context.peer())
            text = f"{method} needs the role {needed.value}; the caller has {principal.role.value}"
            raise PermissionDenied(text, metadata={"needed": needed.value, "role": principal.role.value})
        if self._authenticator.required:
            self._limiter.take(principal.name)
        enter(principal)
        return principal

    async def _identify_or_fail(self, method: str, context: Context) -> None:
        """Ends a call that nobody knows the caller of, where no other interceptor does."""
        try:
            await self._identify(method, context)
        except TunerError as error:
            await fail(context, method, error)

    async def _identify(self, method: str, context: Context) -> Principal:
        """The caller.

        Raises:
            Unauthenticated: When nobody knows who it is.
        """
        try:
            return await self._authenticator.principal(context.invocation_metadata() or (), context.auth_context())
        except Unauthenticated as error:
            audit.refused(None, method, error.reason, context.peer())
            raise


async def _received(requests: AsyncIterator[bytes], parse: Any) -> Any:
    """The one message of a call.

    Raises:
        InvalidRequest: When it does not come, or cannot be parsed.
    """
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            raw = await anext(aiter(requests))
    except TimeoutError as error:
        text = f"no message came within {REQUEST_TIMEOUT_S:g} s of the call"
        raise InvalidRequest([Violation("", text, "NO_MESSAGE")]) from error
    except StopAsyncIteration as error:
        raise InvalidRequest([Violation("", "the call has no message", "NO_MESSAGE")]) from error
    try:
        return parse(raw)
    except DecodeError as error:
        text = f"{len(raw)} bytes that are no message of this type"
        raise InvalidRequest([Violation("", text, "MALFORMED_MESSAGE")]) from error
