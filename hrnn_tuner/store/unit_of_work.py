"""Transactions: everything that is read or written belongs to one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store.engine import open_engines
from hrnn_tuner.store.events import EventRepository
from hrnn_tuner.store.job_change import JobChange
from hrnn_tuner.store.leftovers import LeftoverRepository
from hrnn_tuner.store.logs import LogRepository
from hrnn_tuner.store.outbox import OutboxRepository
from hrnn_tuner.store.parents import ParentRepository
from hrnn_tuner.store.standings import StandingRepository
from hrnn_tuner.store.tokens import TokenRepository
from hrnn_tuner.store.training_jobs import MetricRepository, TrainingJobRepository
from hrnn_tuner.store.tuning_jobs import TuningJobRepository
from hrnn_tuner.store.workers import DeadMessageRepository, WorkerRepository


class Transaction:
    """The repositories of one transaction. Locks are always taken in the order tuning job, training job, outbox."""

    def __init__(self, connection: Connection) -> None:
        """Works in the connection's transaction."""
        self.tuning_jobs = TuningJobRepository(connection)
        self.training_jobs = TrainingJobRepository(connection)
        self.parents = ParentRepository(connection)
        self.metrics = MetricRepository(connection)
        self.logs = LogRepository(connection)
        self.leftovers = LeftoverRepository(connection)
        self.standings = StandingRepository(connection)
        self.events = EventRepository(connection)
        self.outbox = OutboxRepository(connection)
        self.workers = WorkerRepository(connection)
        self.dead_messages = DeadMessageRepository(connection)
        self.tokens = TokenRepository(connection)

    def change(self, tuning_job_id: str, now: datetime) -> JobChange | None:
        """Locks a tuning job for a change; None when it does not exist. The caller ends with `JobChange.write`."""
        job = self.tuning_jobs.lock(tuning_job_id)
        return None if job is None else self._change(job, now, new=False)

    def create(self, job: TuningJob, *, request_id: str | None, request_hash: str | None) -> JobChange:
        """Inserts a tuning job and opens its event log.

        Raises:
            AlreadyExists: When the name or the request id is taken.
        """
        self.tuning_jobs.add(job, request_id=request_id, request_hash=request_hash)
        return self._change(job, job.created_at, new=True)

    def _change(self, job: TuningJob, now: datetime, *, new: bool) -> JobChange:
        """A change of a locked job."""
        return JobChange(
            job, now, self.tuning_jobs, self.training_jobs, self.metrics, self.events, self.leftovers, new=new
        )


class Store:
    """A database. Thread-safe; transactions are not."""

    def __init__(self, url: str) -> None:
        """Opens nothing yet; the schema is the business of `hrnn_tuner.store.migrate`.

        Raises:
            ValueError: When the URL's database is not supported.
        """
        self._writer, self._reader = open_engines(url)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that commits at the end of the block, or rolls back when it raises.

        Raises:
            ServiceUnavailable: When the database is away or stays locked.
        """
        with _guarded(self._writer) as connection:
            transaction = Transaction(connection)
            yield transaction
            transaction.outbox.flush()

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A consistent snapshot; nothing may be written.

        Raises:
            ServiceUnavailable: When the database is away.
        """
        with _guarded(self._reader) as connection:
            yield Transaction(connection)

    def ping(self) -> None:
        """Checks that the database answers and has the schema.

        Raises:
            ServiceUnavailable: When it does not.
        """
        with _guarded(self._reader) as connection:
            connection.execute(text("SELECT 1 FROM tuning_jobs LIMIT 1"))

    def close(self) -> None:
        """Closes all connections."""
        self._writer.dispose()
        self._reader.dispose()


@contextmanager
def _guarded(engine: Engine) -> Iterator[Connection]:
    """A transaction whose connection errors become `ServiceUnavailable`."""
    try:
        with engine.begin() as connection:
            yield connection
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise ServiceUnavailable("the database does not answer") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise ServiceUnavailable("the database connection was lost") from error
        raise
