"""Logging: structlog for this project's own code, with the standard library's loggers routed through it."""

from __future__ import annotations

import logging
import re
import sys

import structlog
from opentelemetry import trace

#: Control characters, and the line separators that only Unicode has.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def configure_logging(*, service: str, log_format: str, level: str) -> None:
    """Sets up logging to standard error, once per process.

    Args:
        service: Stands on every line as ``service``.
        log_format: ``console`` for people, ``json`` for machines.
        level: Least severe level that is logged.
    """
    shared: list[structlog.types.Processor] = [
        _Service(service),
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _on_one_line,
    ]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # Without local variables: they hold hyperparameters and environments, which are nobody's business.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info if log_format == "json" else _keep,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("pika").setLevel(logging.ERROR)  # our link reports every lost connection itself
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


class _Service:
    """Says on every line which service wrote it; a context variable would reach the main thread only."""

    def __init__(self, service: str) -> None:
        """Takes its name."""
        self._service = service

    def __call__(
        self, _logger: structlog.types.WrappedLogger, _name: str, event: structlog.types.EventDict
    ) -> structlog.types.EventDict:
        """Adds it."""
        event["service"] = self._service
        return event


def _add_trace(
    _logger: structlog.types.WrappedLogger, _name: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    """Adds the ids of the current span, by which logs and traces are found from each other."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def _on_one_line(
    _logger: structlog.types.WrappedLogger, _name: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    """Escapes what could end the line or drive a terminal: a value that a caller chose must not forge another line."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), value)
    return event


def _keep(
    _logger: structlog.types.WrappedLogger, _name: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    """Leaves exceptions to the console renderer, which prints them itself."""
    return event
