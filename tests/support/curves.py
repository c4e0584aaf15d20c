"""A training job's curve of metric points, as each way of looking at it shows it."""

from __future__ import annotations

from hrnn_tuner.store import EventKind, MetricPoint, Store
from tests.support.invariants import read_events

#: By metric and step: value and attempt.
Curve = dict[tuple[str, int], tuple[float, int]]


def listed_points(store: Store, tuning_job_id: str, number: int) -> list[MetricPoint]:
    """The points in the order of ListMetrics."""
    with store.read() as tx:
        return list(tx.metrics.page(tuning_job_id, number, metrics=(), after=None, limit=100_000).rows)


def listed_curve(store: Store, tuning_job_id: str, number: int) -> Curve:
    """The curve in the table; there can be no second point at a step."""
    points = listed_points(store, tuning_job_id, number)
    curve = {(point.metric, point.step): (point.value, point.attempt) for point in points}
    assert len(curve) == len(points)
    return curve


def watched_curve(store: Store, tuning_job_id: str, number: int) -> Curve:
    """The curve that somebody has who read the event log: added points, minus what was superseded."""
    curve: Curve = {}
    for event in read_events(store, tuning_job_id):
        if event.kind is not EventKind.METRICS or event.body["number"] != number:
            continue
        after = event.body.get("superseded_after")
        if after is not None:
            curve = {key: value for key, value in curve.items() if key[1] <= after}
        for metric, step, value in event.body["points"]:
            assert (metric, step) not in curve, "a step comes twice only after it was superseded"
            curve[metric, step] = (value, event.body["attempt"])
    return curve
