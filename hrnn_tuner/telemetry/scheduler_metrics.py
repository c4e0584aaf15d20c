"""Metrics that a scheduler counts itself; what the database knows is read at each scrape by the scheduler's census."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

PLAN_DURATION = Histogram(
    "hrnn_tuner_scheduler_plan_duration_seconds", "Time of one look at all tuning jobs in progress", buckets=_SECONDS
)
INGEST_DURATION = Histogram(
    "hrnn_tuner_scheduler_ingest_duration_seconds", "Time to apply and acknowledge a batch of reports", buckets=_SECONDS
)
INGEST_BATCH = Histogram(
    "hrnn_tuner_scheduler_ingest_batch_reports", "Reports applied together", buckets=(1, 2, 4, 8, 16, 32, 64)
)
REPORTS = Counter("hrnn_tuner_scheduler_reports", "Reports about attempts, by what became of them", ["event", "result"])
TASKS_PUBLISHED = Counter(
    "hrnn_tuner_scheduler_tasks_published", "Tasks that the broker has taken: attempt, removal", ["work"]
)
LEASES_LOST = Counter("hrnn_tuner_scheduler_leases_lost", "Attempts whose worker was not heard of for a lease")
TASKS_REQUEUED = Counter("hrnn_tuner_scheduler_tasks_requeued", "Tasks that the broker lost, enqueued again")
DEAD_LETTERS = Counter("hrnn_tuner_scheduler_dead_letters", "Messages that came to the dead letters")
RETENTION_STEPS = Counter(
    "hrnn_tuner_scheduler_retention_steps", "Transactions that removed what was kept long enough", ["what"]
)
PROPOSAL_DURATION = Histogram(
    "hrnn_tuner_scheduler_proposal_duration_seconds",
    "Time to make the proposals for one request",
    ["strategy"],
    buckets=(0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60),
)
