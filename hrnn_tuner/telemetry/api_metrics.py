"""Metrics of the API. Methods and codes are those of the contract, so the number of series is bounded."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("hrnn_tuner_api_requests", "Calls that have ended, streams included", ["method", "code"])
REQUEST_DURATION = Histogram(
    "hrnn_tuner_api_request_duration_seconds",
    "Time that unary calls took",
    ["method", "code"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
WATCH_STREAMS = Gauge("hrnn_tuner_api_watch_streams", "Open watch streams")
