"""Wraps the handlers of this service's own methods; health and reflection keep theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc

Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]]
Unary = Callable[..., Awaitable[Any]]
Stream = Callable[..., AsyncIterator[Any]]
_PREFIX = "/hrnn_tuner.v1."


async def wrapped(
    continuation: Continuation,
    details: grpc.HandlerCallDetails,
    unary: Callable[[Unary, str], Unary],
    stream: Callable[[Stream, str], Stream],
) -> grpc.RpcMethodHandler:
    """The handler of a call, wrapped if the method is one of this service.

    Args:
        continuation: Gives the handler, as `api_service.access.AccessInterceptor` made it.
        details: Of the call.
        unary: Wraps a method with one answer, given with its full name.
        stream: Wraps a method with a stream of answers, given with its full name.
    """
    handler = await continuation(details)
    if handler is None or not is_own(details.method):
        return handler
    answers = {"response_serializer": handler.response_serializer}
    if handler.response_streaming:
        return grpc.stream_stream_rpc_method_handler(stream(handler.stream_stream, details.method), **answers)
    return grpc.stream_unary_rpc_method_handler(unary(handler.stream_unary, details.method), **answers)


def is_own(method: str) -> bool:
    """Whether a method, by its full name, is one of this service."""
    return method.startswith(_PREFIX)
