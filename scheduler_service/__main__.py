"""Runs a scheduler: ``python -m scheduler_service``."""

from __future__ import annotations

import structlog

from hrnn_tuner import failpoints
from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.settings import Settings
from hrnn_tuner.shutdown import StopSignal
from hrnn_tuner.store import Store
from hrnn_tuner.telemetry import configure_logging
from scheduler_service.service import SchedulerService


def main() -> None:
    """Runs until SIGTERM or SIGINT."""
    settings = Settings()
    failpoints.arm(settings.failpoint)
    configure_logging(service="scheduler", log_format=settings.log_format, level=settings.log_level)
    stop = StopSignal()
    store = Store(settings.database_url)
    broker = open_broker(settings.broker_url, name="scheduler", resource_classes=settings.resource_classes)
    scheduler = SchedulerService(settings, store, broker)
    try:
        scheduler.start()
        stop.wait()
        structlog.get_logger(__name__).info("stopping")
        scheduler.stop()
    finally:
        broker.close()
        store.close()


if __name__ == "__main__":
    main()
