"""Runs a scheduler: ``python -m scheduler_service``."""

from __future__ import annotations

import sys

import structlog

from hrnn_tuner import failpoints
from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.settings import Settings
from hrnn_tuner.shutdown import StopSignal
from hrnn_tuner.store import Store
from hrnn_tuner.telemetry import CannotServeMetrics, configure_logging, configure_tracing, serve_metrics
from scheduler_service.census import Census, registered
from scheduler_service.service import SchedulerService


def main() -> None:
    """Runs until SIGTERM or SIGINT."""
    settings = Settings()
    failpoints.arm(settings.failpoint)
    configure_logging(service="scheduler", log_format=settings.log_format, level=settings.log_level)
    configure_tracing(service="scheduler")
    stop = StopSignal()
    store = Store(settings.database_url)
    broker = open_broker(settings.broker_url, name="scheduler", resource_classes=settings.resource_classes)
    scheduler = SchedulerService(settings, store, broker)
    try:
        scheduler.start()
        with (
            registered(Census(store, broker, settings=settings)),
            serve_metrics(settings.metrics_listen, ready=lambda: broker.connected),
        ):
            stop.wait()
        structlog.get_logger(__name__).info("stopping")
        scheduler.stop()
    except CannotServeMetrics as error:
        sys.exit(str(error))
    finally:
        broker.close()
        store.close()


if __name__ == "__main__":
    main()
