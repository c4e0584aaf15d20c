"""Metrics of a worker."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SLOTS = Gauge("hrnn_tuner_worker_slots", "Training jobs that this worker runs at a time")
SLOTS_BUSY = Gauge("hrnn_tuner_worker_slots_busy", "Slots that run a training job")
ATTEMPTS = Counter("hrnn_tuner_worker_attempts", "Attempts that have ended", ["outcome"])
TRAINING_DURATION = Histogram(
    "hrnn_tuner_worker_training_duration_seconds",
    "Time from taking a task to its end",
    ["outcome"],
    buckets=(1, 5, 15, 60, 300, 900, 1800, 3600, 3 * 3600, 12 * 3600, 24 * 3600),
)
EPOCHS = Counter("hrnn_tuner_worker_epochs", "Epochs that were trained and evaluated")
