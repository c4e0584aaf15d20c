"""``python -m worker_service``: one worker, until SIGTERM or SIGINT, or with ``--once`` for one task.

The exit status is 0 whatever became of the task: its end is reported, and the scheduler decides what follows.
"""

from __future__ import annotations

import argparse
import sys
import threading

from hrnn_tuner import failpoints
from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.settings import Settings
from hrnn_tuner.shutdown import StopSignal
from hrnn_tuner.telemetry import CannotServeMetrics, configure_logging, configure_tracing, serve_metrics
from worker_service.composition import build_worker, new_worker_id
from worker_service.gpu_memory import gpu_memory_registered

#: After the drain; orchestrators allow 10 to 30 s in all between SIGTERM and SIGKILL, or what they are told to.
_STOP_TIMEOUT_S = 6.0
#: After the one task of ``--once`` nobody waits to kill the process, and a broker may need time to come back.
_LAST_REPORTS_TIMEOUT_S = 120.0
#: A broker that hangs must not keep the process: everything that matters was confirmed or given up before.
_CLOSE_TIMEOUT_S = 2.0


def main() -> int:
    """Runs a worker and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m worker_service", description="Runs a worker.")
    parser.add_argument("--once", action="store_true", help="take one task, train it, exit")
    once = parser.parse_args().once
    settings = Settings()
    failpoints.arm(settings.failpoint)
    if once:
        settings = settings.model_copy(update={"worker_slots": 1})
    configure_logging(service="worker", log_format=settings.log_format, level=settings.log_level)
    configure_tracing(service="worker")
    stop = StopSignal()
    task_over = threading.Event()

    def end_after_task() -> None:
        task_over.set()
        stop.send()

    worker_id = new_worker_id()
    # A worker may serve a class that the other services were not told of; its queue must exist all the same.
    classes = tuple(dict.fromkeys((*settings.resource_classes, settings.worker_resource_class)))
    broker = open_broker(settings.broker_url, name=f"worker/{worker_id}", resource_classes=classes)
    closing = threading.Thread(target=broker.close, name="broker-close", daemon=True)
    try:
        worker = build_worker(settings, broker, worker_id=worker_id, on_single_task=end_after_task if once else None)
        worker.start()
        with gpu_memory_registered(), serve_metrics(settings.metrics_listen, ready=lambda: broker.connected):
            stop.wait()
            last_s = _LAST_REPORTS_TIMEOUT_S if task_over.is_set() else _STOP_TIMEOUT_S
            worker.stop(last_s, drain_s=settings.worker_drain_grace_s)
    except CannotServeMetrics as error:
        sys.exit(str(error))
    finally:
        closing.start()
        closing.join(_CLOSE_TIMEOUT_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
