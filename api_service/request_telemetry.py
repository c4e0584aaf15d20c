"""Counts and times every call of the service, and makes it a span of its caller's trace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from opentelemetry.trace import SpanKind, Status, StatusCode

from hrnn_tuner.telemetry import span
from hrnn_tuner.telemetry.api_metrics import REQUEST_DURATION, REQUESTS, WATCH_STREAMS

_CODES = {code.value[0]: code.name for code in grpc.StatusCode}
#: Answers that are the server's fault, not the caller's: their spans are marked as errors.
_SERVER_FAULTS = {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}


class TelemetryInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc] # grpc is untyped
    """The outermost interceptor: it sees the status that the caller sees."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wraps the method's handler; probes and reflection are not counted."""
        handler = await continuation(details)
        if handler is None or not details.method.startswith("/hrnn_tuner.v1."):
            return handler
        name = details.method.rpartition("/")[2]
        codec = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(_unary(handler.unary_unary, name), **codec)
        return grpc.unary_stream_rpc_method_handler(_stream(handler.unary_stream, name), **codec)


def _unary(method: Callable[..., Awaitable[Any]], name: str) -> Callable[..., Awaitable[Any]]:
    """Wraps a unary method."""

    async def wrapped(request: Any, context: grpc.aio.ServicerContext) -> Any:
        with _observed(name, context):
            return await method(request, context)

    return wrapped


def _stream(method: Callable[..., AsyncIterator[Any]], name: str) -> Callable[..., AsyncIterator[Any]]:
    """Wraps a streaming method. It has no span: a stream lasts as long as its reader likes."""

    async def wrapped(request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        WATCH_STREAMS.inc()
        code = "OK"
        try:
            async for item in method(request, context):
                yield item
        except BaseException as error:
            code = _code(error, context)
            raise
        finally:
            WATCH_STREAMS.dec()
            REQUESTS.labels(name, code).inc()

    return wrapped


@contextmanager
def _observed(name: str, context: grpc.aio.ServicerContext) -> Iterator[None]:
    """Observes one call."""
    headers = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
    attributes = {"rpc.system": "grpc", "rpc.service": "hrnn_tuner.v1.TuningService", "rpc.method": name}
    code, began = "OK", time.perf_counter()
    with span(f"TuningService/{name}", SpanKind.SERVER, parent=headers, attributes=attributes) as current:
        try:
            yield
        except BaseException as error:
            code = _code(error, context)
            if code in _SERVER_FAULTS:
                current.set_status(Status(StatusCode.ERROR, code))
            raise
        finally:
            current.set_attribute("rpc.grpc.status_code", code)
            REQUESTS.labels(name, code).inc()
            REQUEST_DURATION.labels(name, code).observe(time.perf_counter() - began)


def _code(error: BaseException, context: grpc.aio.ServicerContext) -> str:
    """Name of the status that an error ends a call with."""
    if isinstance(error, (asyncio.CancelledError, GeneratorExit)):
        return "CANCELLED"
    code = context.code()
    if isinstance(code, grpc.StatusCode):
        return str(code.name)
    return _CODES.get(code, "UNKNOWN") if code else "UNKNOWN"
