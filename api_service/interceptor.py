"""Maps every error of a handler to a status, for unary and streaming methods alike."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any, NoReturn

import grpc
import structlog
from google.rpc import status_pb2
from grpc_status import rpc_status

from api_service.errors import internal_status, to_status
from api_service.own_methods import Continuation, Stream, Unary, wrapped
from hrnn_tuner.domain.errors import TunerError

_LOG = structlog.get_logger(__name__)


async def _abort(context: grpc.aio.ServicerContext, status: status_pb2.Status) -> NoReturn:
    """Ends the call with a status and its details."""
    converted = rpc_status.to_status(status)
    await context.abort(converted.code, converted.details, converted.trailing_metadata)
    raise AssertionError("abort returned")


async def fail(context: grpc.aio.ServicerContext, method: str, error: Exception) -> NoReturn:
    """Ends a call with the status of an error."""
    if isinstance(error, TunerError):
        _LOG.info("refused", method=method, reason=error.reason, error=str(error)[:500])
        await _abort(context, to_status(error))
    request_id = secrets.token_hex(8)
    _LOG.error("unexpected error", method=method, request_id=request_id, exc_info=error)
    await _abort(context, internal_status(request_id))


class ErrorInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc] # grpc is untyped
    """Around everything that may refuse a call: handlers raise the errors of the domain, callers see statuses."""

    async def intercept_service(
        self, continuation: Continuation, details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler:
        """Wraps the method's handler; what is not ours (health, reflection) has errors of its own."""
        return await wrapped(continuation, details, _unary, _stream)


def _unary(method: Unary, name: str) -> Unary:
    """Wraps a method with one answer."""

    async def guarded(request: Any, context: grpc.aio.ServicerContext) -> Any:
        try:
            return await method(request, context)
        except (asyncio.CancelledError, grpc.aio.AbortError):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary of the process
            await fail(context, name, error)

    return guarded


def _stream(method: Stream, name: str) -> Stream:
    """Wraps a method with a stream of answers."""

    async def guarded(request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        try:
            async for item in method(request, context):
                yield item
        except (asyncio.CancelledError, grpc.aio.AbortError, GeneratorExit):
            raise  # a swallowed cancellation would leak the call
        except Exception as error:  # noqa: BLE001 - the boundary of the process
            await fail(context, name, error)

    return guarded
