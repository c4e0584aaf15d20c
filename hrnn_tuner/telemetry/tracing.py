"""Traces: from a client's call through the API, the scheduler and the queues to a worker, and back to the result.

Only OpenTelemetry's API is needed to run. Without its SDK, or without an ``OTEL_`` setting that names an exporter,
spans cost next to nothing and nothing leaves the process; a caller's trace context is passed on all the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_LOG = structlog.get_logger(__name__)
_TRACER = trace.get_tracer("hrnn_tuner")
_W3C = TraceContextTextMapPropagator()
#: The one header that is carried; ``tracestate`` may be long, and no receiver here reads it.
HEADER = "traceparent"
#: Any of these settings of OpenTelemetry turns tracing on.
_SWITCHES = ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def configure_tracing(*, service: str) -> None:
    """Exports spans if the environment asks for it, once per process.

    ``OTEL_TRACES_EXPORTER`` is ``otlp`` (the default), ``console`` or ``none``; everything else is as OpenTelemetry's
    specification of environment variables says. Needs the extra ``otel``; without it a warning says so.

    Args:
        service: ``service.name`` is ``hrnn-tuner-<service>``, unless ``OTEL_SERVICE_NAME`` is set.
    """
    exporter = os.environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower()
    disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if disabled or exporter == "none" or not any(os.environ.get(name) for name in _SWITCHES):
        return
    try:
        from hrnn_tuner.telemetry.span_export import export_spans
    except ImportError as error:
        _LOG.warning("no traces: install hrnn-tuner[otel]", error=str(error))
        return
    export_spans(os.environ.get("OTEL_SERVICE_NAME") or f"hrnn-tuner-{service}", exporter)


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    parent: Mapping[str, str] | None = None,
    attributes: Mapping[str, str | int] | None = None,
) -> Iterator[Span]:
    """Makes a span the current one; an error that gets out is recorded in it.

    Args:
        name: A constant of few values, without ids.
        kind: Its role.
        parent: Headers of the message that led here; None for the current span.
        attributes: Facts about it; ids belong here.
    """
    context = None if parent is None else extract(parent)
    with _TRACER.start_as_current_span(name, context, kind, dict(attributes or {})) as current:
        yield current


def inject() -> dict[str, str]:
    """The current trace context as headers of a message; empty without one."""
    headers: dict[str, str] = {}
    _W3C.inject(headers)
    return {name: value for name, value in headers.items() if name == HEADER}


def extract(headers: Mapping[str, str]) -> Context:
    """The trace context of a message's headers; an empty one when they have none that is valid."""
    return _W3C.extract(dict(headers), Context())


def traceparent() -> str:
    """The current trace context as one line of text (W3C Trace Context), at most 55 characters; empty without one."""
    return inject().get(HEADER, "")
