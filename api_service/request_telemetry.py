"""Counts and times every call of the service, and makes it a span of its caller's trace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from opentelemetry.trace import SpanKind, Status, StatusCode

from api_service.own_methods import Continuation, Stream, Unary, wrapped
from hrnn_tuner.telemetry import span
from hrnn_tuner.telemetry.api_metrics import REQUEST_DURATION, REQUESTS, WATCH_STREAMS

_CODES = {code.value[0]: code.name for code in grpc.StatusCode}
#: Answers that are the server's fault, not the caller's: their spans are marked as errors.
_SERVER_FAULTS = {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}


class TelemetryInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc] # grpc is untyped
    """The outermost interceptor: it sees the status that the caller sees."""

    async def intercept_service(
        self, continuation: Continuation, details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler:
        """Wraps the method's handler; probes and reflection are not counted."""
        return await wrapped(continuation, details, _unary, _stream)


def _unary(method: Unary, full_name: str) -> Unary:
    """Wraps a unary method."""
    name = full_name.rpartition("/")[2]

    async def observed(request: Any, context: grpc.aio.ServicerContext) -> Any:
        with _observed(name, context):
            return await method(request, context)

    return observed


def _stream(method: Stream, full_name: str) -> Stream:
    """Wraps a streaming method. It has no span: a stream lasts as long as its reader likes."""
    name = full_name.rpartition("/")[2]

    async def observed(request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
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

    return observed


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
