"""The tables. Every change here needs a migration; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
    true,
)

from hrnn_tuner.domain.access import DEFAULT_PROJECT
from hrnn_tuner.store.columns import Instant, Json

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

tuning_jobs = Table(
    "tuning_jobs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(32), nullable=False),
    Column("name_key", String(32), nullable=False),  # lower case: names are unique without regard to case
    Column("request_id", String(36)),
    Column("request_hash", String(64)),
    Column("spec", Text, nullable=False),  # JSON
    Column("resource_class", String(64), nullable=False),
    Column("weight", Integer, nullable=False),
    Column("max_training_jobs", Integer, nullable=False),
    Column("max_parallel", Integer, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("completion_reason", String(32)),
    Column("failure_reason", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("deadline_at", Instant),  # created_at + max_runtime
    Column("revision", BigInteger, nullable=False),
    Column("counters", Json, nullable=False),
    Column("launched", Integer, nullable=False),
    Column("in_progress", Integer, nullable=False),
    Column("best_number", Integer),
    Column("best_value", Double),
    Column("completion_details", Json),
    Column("tags", Json, nullable=False),
    Column("warnings", Json, nullable=False),
    Column("trace", String(64)),  # W3C traceparent of the request that created it
    Column("choices", Json),  # NULL in rows of before it existed
    Column("project", String(32), nullable=False, server_default=DEFAULT_PROJECT),
    UniqueConstraint("project", "name_key", name="uq_tuning_jobs_project_name_key"),
    UniqueConstraint("project", "request_id", name="uq_tuning_jobs_project_request_id"),
    Column("log_starts_after", BigInteger, nullable=False, server_default="0"),  # earlier events were removed
)
Index("ix_tuning_jobs_created_at", tuning_jobs.c.created_at, tuning_jobs.c.id)

training_jobs = Table(
    "training_jobs",
    metadata,
    Column("tuning_job_id", String(36), ForeignKey("tuning_jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", String(63), nullable=False, unique=True),
    Column("name_key", String(63), nullable=False, unique=True),
    Column("definition_name", String(64), nullable=False),
    Column("proposal", Json, nullable=False),
    Column("hyperparameters", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("secondary", String(32), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("token", String(32), nullable=False),
    Column("worker_id", String(128), nullable=False),
    Column("seen_at", Instant),
    Column("transitions", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("final_objective", Double),
    Column("final_metrics", Json, nullable=False),
    Column("failure_cause", String(32)),
    Column("failure_reason", Text, nullable=False),
    Column("artifact_uri", Text, nullable=False),
    Column("tags", Json, nullable=False),
    Column("stopping_rule", String(32), nullable=False, server_default=""),
    Column("failures", Json, nullable=False),
    Column("checkpoint", Json),
    Column("leaves_checkpoints", Boolean, nullable=False),
    Column("runtime_s", Double, nullable=False),
    Column("deadline_at", Instant),
    Index("ix_training_jobs_state", "tuning_job_id", "state", "number"),
    Index("ix_training_jobs_objective", "tuning_job_id", "final_objective", "number"),
    Index("ix_training_jobs_lease", "state", "seen_at"),
    Index("ix_training_jobs_deadline", "state", "deadline_at"),
    Index("ix_training_jobs_leftovers", "leaves_checkpoints", "state"),
)

metric_points = Table(
    "metric_points",
    metadata,
    Column("tuning_job_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("step", BigInteger, primary_key=True),  # without the attempt: a training job has one curve
    Column("metric", String(255), primary_key=True),
    Column("value", Double),  # NULL is NaN: SQLite stores no NaN
    Column("at", Instant, nullable=False),
    ForeignKeyConstraint(
        ["tuning_job_id", "number"], ["training_jobs.tuning_job_id", "training_jobs.number"], ondelete="CASCADE"
    ),
)

log_lines = Table(
    "log_lines",
    metadata,
    Column("tuning_job_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("position", BigInteger, primary_key=True),  # in bytes, by which the oldest are dropped
    Column("at", Instant, nullable=False),  # by the worker's clock
    Column("source", String(16), nullable=False),
    Column("text", Text, nullable=False),
    ForeignKeyConstraint(
        ["tuning_job_id", "number"], ["training_jobs.tuning_job_id", "training_jobs.number"], ondelete="CASCADE"
    ),
)

parents = Table(
    "parents",  # of tuning jobs with a warm start; copies, because a parent may be deleted and its name used again
    metadata,
    Column("tuning_job_id", String(36), ForeignKey("tuning_jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("parent_id", String(36), nullable=False),
    Column("name", String(32), nullable=False),
    Column("best", Json),  # the parent's best training job
)

parent_trials = Table(
    "parent_trials",
    metadata,
    Column("tuning_job_id", String(36), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("hyperparameters", Json, nullable=False),
    Column("final_objective", Double),
    Column("whole", Boolean, nullable=False, server_default=true()),  # whether the training did not pause
    ForeignKeyConstraint(
        ["tuning_job_id", "position"], ["parents.tuning_job_id", "parents.position"], ondelete="CASCADE"
    ),
)

# What stopping rules compare: one row per training job and level, only for tuning jobs that stop training jobs early.
standings = Table(
    "standings",
    metadata,
    Column("tuning_job_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("level", BigInteger, primary_key=True),
    Column("pool", Integer, nullable=False),  # only training jobs of one pool are compared
    Column("score", Double, nullable=False),
    Column("total", Double, nullable=False),  # sum and number of the values so far
    Column("count", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["tuning_job_id", "number"], ["training_jobs.tuning_job_id", "training_jobs.number"], ondelete="CASCADE"
    ),
    Index("ix_standings_score", "tuning_job_id", "pool", "level", "score", "number"),
)

events = Table(
    "events",
    metadata,
    Column("tuning_job_id", String(36), ForeignKey("tuning_jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("body", Json, nullable=False),
    # Of a decision about a training job that was launched already: its number; 0 for one about the tuning job.
    Column("about", Integer),
    Index(
        "ix_events_about",
        "tuning_job_id",
        "about",
        "revision",
        postgresql_where=text("about IS NOT NULL"),
        sqlite_where=text("about IS NOT NULL"),
    ),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("exchange", String(64), nullable=False),
    Column("routing_key", String(255), nullable=False),
    Column("type", String(128), nullable=False),
    Column("message_id", String(128), nullable=False),
    Column("correlation_id", String(36), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("number", Integer, nullable=False),  # the attempt that this task starts
    Column("attempt", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("trace", String(64)),  # the tuning job's
    sqlite_autoincrement=True,
)

workers = Table(
    "workers",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("resource_class", String(64), nullable=False),
    Column("slots", Integer, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

dead_messages = Table(
    "dead_messages",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("received_at", Instant, nullable=False),
    Column("type", String(255), nullable=False),
    Column("message_id", String(255), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("project", String(32), nullable=False),
    Column("role", String(16), nullable=False),
    Column("secret_hash", String(64), nullable=False),  # the secret itself is nowhere
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("description", Text, nullable=False),
)
