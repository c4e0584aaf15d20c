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
        continuation: Gives the handler.
        details: Of the call.
        unary: Wraps a unary method, given with its full name.
        stream: Wraps a streaming method, given with its full name.
    """
    handler = await continuation(details)
    if handler is None or not details.method.startswith(_PREFIX):
        return handler
    codec = {
        "request_deserializer": handler.request_deserializer,
        "response_serializer": handler.response_serializer,
    }
    if handler.unary_unary is not None:
        return grpc.unary_unary_rpc_method_handler(unary(handler.unary_unary, details.method), **codec)
    return grpc.unary_stream_rpc_method_handler(stream(handler.unary_stream, details.method), **codec)
