"""What stopping rules compare: the scores of training jobs at the levels that they reached.

Every question is answered from one index, (tuning job, pool, level, score, number), whatever the number of epochs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from hrnn_tuner.domain.objective import ObjectiveType
from hrnn_tuner.store.schema import standings


@dataclass(frozen=True)
class Standing:
    """A training job at one level.

    Attributes:
        level: Epochs after which training jobs are compared.
        pool: Only training jobs of one pool are compared.
        score: What is compared.
        total: Sum of the objective values up to here.
        count: Number of these values.
    """

    level: int
    pool: int
    score: float
    total: float
    count: int


class StandingRepository:
    """Reads and writes standings; writing needs the tuning job's row lock."""

    def __init__(self, connection: Connection) -> None:
        """Works in the connection's transaction."""
        self._connection = connection

    def add(self, tuning_job_id: str, number: int, standing: Standing) -> bool:
        """Inserts a standing; False when the training job has one at this level already, which stays."""
        dialect_insert = postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        row = {"tuning_job_id": tuning_job_id, "number": number, **asdict(standing)}
        statement = dialect_insert(standings).values(row).on_conflict_do_nothing().returning(standings.c.level)
        return self._connection.execute(statement).first() is not None

    def drop_beyond(self, tuning_job_id: str, number: int, level: int) -> bool:
        """Deletes a training job's standings beyond a level, from where it is trained again; whether there were any."""
        table = standings.c
        condition = and_(table.tuning_job_id == tuning_job_id, table.number == number, table.level > level)
        return self._connection.execute(delete(standings).where(condition)).rowcount > 0

    def before(self, tuning_job_id: str, number: int, level: int) -> Standing | None:
        """The last standing of a training job below a level."""
        table = standings.c
        query = (
            select(table.level, table.pool, table.score, table.total, table.count)
            .where(table.tuning_job_id == tuning_job_id, table.number == number, table.level < level)
            .order_by(table.level.desc())
            .limit(1)
        )
        row = self._connection.execute(query).first()
        return None if row is None else Standing(int(row[0]), row[1], row[2], row[3], int(row[4]))

    def count(self, tuning_job_id: str, pool: int, level: int, *, without: int) -> int:
        """How many training jobs other than ``without`` have a standing."""
        return self._count(_others(tuning_job_id, pool, level, without))

    def count_better(
        self, tuning_job_id: str, pool: int, level: int, score: float, objective: ObjectiveType, *, without: int
    ) -> int:
        """How many training jobs other than ``without`` have a better score."""
        column = standings.c.score
        better = column > score if objective is ObjectiveType.MAXIMIZE else column < score
        return self._count(and_(_others(tuning_job_id, pool, level, without), better))

    def ranked(self, tuning_job_id: str, pool: int, level: int, *, without: int, first: int, limit: int) -> list[float]:
        """Scores of training jobs other than ``without``, ascending, from position ``first`` on, counted from 0."""
        column = standings.c.score
        query = select(column).where(_others(tuning_job_id, pool, level, without)).order_by(column)
        return list(self._connection.execute(query.offset(first).limit(limit)).scalars())

    def _count(self, condition: ColumnElement[bool]) -> int:
        """Counts rows."""
        return int(self._connection.execute(select(func.count()).select_from(standings).where(condition)).scalar_one())


def _others(tuning_job_id: str, pool: int, level: int, without: int) -> ColumnElement[bool]:
    """The standings with which a training job is compared."""
    table = standings.c
    return and_(table.tuning_job_id == tuning_job_id, table.pool == pool, table.level == level, table.number != without)
