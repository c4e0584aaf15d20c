"""Says the server's version with every answer, so that `hrnn-tuner doctor` can compare it with the client's."""

from __future__ import annotations

from typing import Any

import grpc

from api_service.own_methods import Continuation, Stream, Unary, wrapped
from hrnn_tuner import __version__
from hrnn_tuner.version_header import VERSION_HEADER


class VersionInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc] # grpc is untyped
    """Adds the trailing metadata; an error replaces them by its details."""

    async def intercept_service(
        self, continuation: Continuation, details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler:
        """Wraps the method's handler."""
        return await wrapped(continuation, details, _unary, _stream)


def _unary(method: Unary, _: str) -> Unary:
    async def versioned(request: Any, context: grpc.aio.ServicerContext) -> Any:
        context.set_trailing_metadata(((VERSION_HEADER, __version__),))
        return await method(request, context)

    return versioned


def _stream(method: Stream, _: str) -> Stream:
    return method
