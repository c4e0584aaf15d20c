"""The truth: tables, repositories, units of work, outbox and event log on SQLite or PostgreSQL."""

from hrnn_tuner.store.events import Decision, Event, EventKind
from hrnn_tuner.store.job_change import JobChange
from hrnn_tuner.store.logs import LogLine
from hrnn_tuner.store.outbox import OutboxMessage
from hrnn_tuner.store.paging import Page
from hrnn_tuner.store.parents import StoredParent
from hrnn_tuner.store.standings import Standing, StandingRepository
from hrnn_tuner.store.training_jobs import MetricPoint, TrainingJobOrder, TrainingJobQuery
from hrnn_tuner.store.tuning_jobs import ProjectUse, TuningJobOrder, TuningJobQuery
from hrnn_tuner.store.unit_of_work import Store, Transaction
from hrnn_tuner.store.workers import Worker

__all__ = [
    "Decision",
    "Event",
    "EventKind",
    "JobChange",
    "LogLine",
    "MetricPoint",
    "OutboxMessage",
    "Page",
    "ProjectUse",
    "Standing",
    "StandingRepository",
    "Store",
    "StoredParent",
    "TrainingJobOrder",
    "TrainingJobQuery",
    "Transaction",
    "TuningJobOrder",
    "TuningJobQuery",
    "Worker",
]
