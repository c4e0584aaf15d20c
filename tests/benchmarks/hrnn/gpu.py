"""Table 6: how fast training is on a GPU, with the steps of a chunk launched one by one and as one graph."""

from __future__ import annotations

import time

import numpy as np
import torch

from hrnn_tuner.domain.search_space import Value
from tests.benchmarks.hrnn.datasets import interactions
from tests.benchmarks.hrnn.fitting import BenchContext
from tests.benchmarks.results import Results
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.training.training_job import HrnnTraining

_DATA = "ml-1m-order"
_HIDDEN = (43, 128, 256)
_EPOCHS = 3
#: Seconds that one step of the recurrence takes at least, forward and backward pass together: a chain of kernels that
#: wait for each other, each of some 5 microseconds.
_STEP_S = 15e-6
#: What an H200's tensor cores do on large matrices in bfloat16, in FLOP/s.
_MATRIX_FLOPS = 790e12


def gpu(_jobs: int) -> Results:
    """Measures the table."""
    rows = []
    for hidden in _HIDDEN:
        for cell in ("hrnn", "flat"):
            eager, events, latency_bound, matrix_bound = _events_per_second(hidden, cell, graph=False)
            graph, *_ = _events_per_second(hidden, cell, graph=True)
            rows.append(
                (
                    f"{cell}, H={hidden}",
                    f"{events:,}",
                    f"{eager:,.0f}",
                    f"{graph:,.0f} ({graph / eager:.1f}x)",
                    f"{graph / latency_bound:.0%}",
                    f"{graph / matrix_bound:.1%}",
                )
            )
    return Results(
        key="bench-hrnn gpu",
        title=f"Training on a GPU, {_DATA}",
        headings=(
            "model",
            "events an epoch",
            "events/s, eager",
            "events/s, graph",
            "of the latency bound",
            "of the matrix bound",
        ),
        rows=rows,
        notes=(
            f"{torch.cuda.get_device_name()}, torch {torch.__version__}; defaults but for what the rows name and a "
            f"history percentile of 1.0; the median of {_EPOCHS} epochs after one that is not counted.",
            f"Latency bound: {_STEP_S * 1e6:.0f} microseconds for each step of a chunk. Matrix bound: 36 H^2 + 6 H N "
            f"FLOP an event at {_MATRIX_FLOPS / 1e12:.0f} TFLOP/s.",
        ),
    )


def _events_per_second(hidden: int, cell: str, *, graph: bool) -> tuple[float, int, float, float]:
    """Events a second, events of an epoch, and the two bounds in events a second."""
    hyperparameters: dict[str, Value] = {
        "hidden_dimension": hidden,
        "cell": cell,
        "max_user_history_length_percentile": 1.0,
    }
    settings = HrnnSettings.from_hyperparameters(hyperparameters)
    data = training_data(interactions(_DATA), settings, 0)
    title = f"{cell}, H={hidden}, {'graph' if graph else 'eager'}"
    context = BenchContext(title, 1, "precision_at_25", hyperparameters, device="cuda")
    training = HrnnTraining(data, settings, context)
    if not graph:
        training.model.cell.graphs = None
    events = len(data.positions.target)
    seconds = []
    for epoch in range(1, _EPOCHS + 2):
        torch.cuda.synchronize()
        started = time.monotonic()
        training.train_epoch(epoch)
        torch.cuda.synchronize()
        seconds.append(time.monotonic() - started)
        print(f"{title}: epoch {epoch}, {events / seconds[-1]:,.0f} events/s", flush=True)
    matrix_flop = 36 * hidden**2 + 6 * hidden * data.trained_items
    chunk_events = settings.batch_tokens
    latency_bound = chunk_events / (settings.bptt * _STEP_S)
    return events / float(np.median(seconds[1:])), events, latency_bound, _MATRIX_FLOPS / matrix_flop
