"""``python -m worker_service``: one worker, until SIGTERM or SIGINT."""

from __future__ import annotations

import sys
import threading

from hrnn_tuner import failpoints
from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.settings import Settings
from hrnn_tuner.shutdown import StopSignal
from hrnn_tuner.telemetry import configure_logging
from worker_service.composition import build_worker, new_worker_id

#: After the drain; orchestrators allow 10 to 30 s in all between SIGTERM and SIGKILL, or what they are told to.
_STOP_TIMEOUT_S = 6.0
#: A broker that hangs must not keep the process: everything that matters was confirmed or given up before.
_CLOSE_TIMEOUT_S = 2.0


def main() -> int:
    """Runs a worker and returns the exit status."""
    settings = Settings()
    failpoints.arm(settings.failpoint)
    configure_logging(service="worker", log_format=settings.log_format, level=settings.log_level)
    stop = StopSignal()
    worker_id = new_worker_id()
    # A worker may serve a class that the other services were not told of; its queue must exist all the same.
    classes = tuple(dict.fromkeys((*settings.resource_classes, settings.worker_resource_class)))
    broker = open_broker(settings.broker_url, name=f"worker/{worker_id}", resource_classes=classes)
    closing = threading.Thread(target=broker.close, name="broker-close", daemon=True)
    try:
        worker = build_worker(settings, broker, worker_id=worker_id)
        worker.start()
        stop.wait()
        worker.stop(_STOP_TIMEOUT_S, drain_s=settings.worker_drain_grace_s)
    finally:
        closing.start()
        closing.join(_CLOSE_TIMEOUT_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
