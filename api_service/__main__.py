"""Runs the API: ``python -m api_service``."""

from __future__ import annotations

import asyncio
import sys

from api_service.listening import CannotListen
from api_service.server import ApiServer
from hrnn_tuner import failpoints
from hrnn_tuner.algorithms import load_algorithms
from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.settings import Settings
from hrnn_tuner.shutdown import StopSignal
from hrnn_tuner.store import Store
from hrnn_tuner.telemetry import CannotServeMetrics, configure_logging, configure_tracing, serve_metrics


async def serve(settings: Settings, stop: StopSignal) -> None:
    """Serves until SIGTERM or SIGINT, then drains."""
    store = Store(settings.database_url)
    broker = open_broker(settings.broker_url, name="api", resource_classes=settings.resource_classes)
    try:
        server = ApiServer(settings, store, broker, load_algorithms(settings.algorithms))
        await server.start()
        with serve_metrics(settings.metrics_listen, ready=lambda: server.ready):
            await stop.waited()
            await server.stop()
    finally:
        broker.close()
        store.close()


def main() -> None:
    """Runs until told to stop."""
    settings = Settings()
    failpoints.arm(settings.failpoint)
    configure_logging(service="api", log_format=settings.log_format, level=settings.log_level)
    configure_tracing(service="api")
    stop = StopSignal()
    try:
        asyncio.run(serve(settings, stop))
    except (CannotListen, CannotServeMetrics) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
