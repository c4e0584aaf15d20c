"""Memory of the GPUs, asked of the driver's own program at each scrape: the worker's process never touches a GPU."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_LOG = structlog.get_logger(__name__)
_TIMEOUT_S = 5.0
_MIB = 1024 * 1024
_QUERY = ("--query-gpu=index,memory.used,memory.total", "--format=csv,noheader,nounits")


class GpuMemory(Collector):
    """Used and total memory of each GPU that this container sees."""

    def __init__(self, program: str) -> None:
        """Takes the path of ``nvidia-smi``."""
        self._program = program

    def describe(self) -> Sequence[Metric]:
        """Nothing: registering must not wait for the driver."""
        return []

    def collect(self) -> Iterable[Metric]:
        """The metrics of this moment; none when the driver does not answer."""
        used = GaugeMetricFamily("hrnn_tuner_worker_gpu_memory_used_bytes", "Memory in use", labels=["gpu"])
        total = GaugeMetricFamily("hrnn_tuner_worker_gpu_memory_total_bytes", "Memory of a GPU", labels=["gpu"])
        try:
            answer = subprocess.run(
                [self._program, *_QUERY], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
            )
            for index, used_mib, total_mib in csv.reader(answer.stdout.splitlines(), skipinitialspace=True):
                used.add_metric([index], float(used_mib) * _MIB)
                total.add_metric([index], float(total_mib) * _MIB)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            _LOG.warning("GPU memory is not known", error=str(error)[:500])
            return []
        return [used, total]


@contextmanager
def gpu_memory_registered() -> Iterator[None]:
    """Asks at each scrape while the block runs, where there is an NVIDIA driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        yield
        return
    collector = GpuMemory(program)
    REGISTRY.register(collector)
    try:
        yield
    finally:
        REGISTRY.unregister(collector)
