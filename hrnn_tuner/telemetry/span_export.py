"""Sets up OpenTelemetry's SDK. The only module that imports it, and only when traces are asked for."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

EXPORTERS: dict[str, type[SpanExporter]] = {"otlp": OTLPSpanExporter, "console": ConsoleSpanExporter}


def export_spans(service_name: str, exporter: str) -> None:
    """Exports the spans of this process in the background; what is left is sent when it exits.

    Raises:
        ValueError: When the exporter is unknown.
    """
    if exporter not in EXPORTERS:
        raise ValueError(f"OTEL_TRACES_EXPORTER: {exporter!r} is not one of {', '.join(EXPORTERS)}, none")
    provider = TracerProvider(resource=Resource.create({"service.name": service_name}))
    provider.add_span_processor(BatchSpanProcessor(EXPORTERS[exporter]()))
    trace.set_tracer_provider(provider)
