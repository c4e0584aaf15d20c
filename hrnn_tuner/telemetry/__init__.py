"""What the services tell their operators: logs, metrics and traces."""

from hrnn_tuner.telemetry.logs import configure_logging
from hrnn_tuner.telemetry.metrics_server import CannotServeMetrics, serve_metrics
from hrnn_tuner.telemetry.tracing import configure_tracing, extract, inject, span, traceparent

__all__ = [
    "CannotServeMetrics",
    "configure_logging",
    "configure_tracing",
    "extract",
    "inject",
    "serve_metrics",
    "span",
    "traceparent",
]
