"""Every migration, forward and back, on both databases, with data in every table.

`first_schema.json` holds the rows that the code of the first schema wrote: a tuning job that has ended and one that
runs, a training job in its second attempt, and something in every other table.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, Table, inspect, select

from hrnn_tuner.domain.access import Role
from hrnn_tuner.domain.api_token import new_token
from hrnn_tuner.domain.checkpoint import Checkpoint
from hrnn_tuner.domain.states import FailureCause, TuningJobState
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import LogLine, OutboxMessage, Standing, Store, Worker
from hrnn_tuner.store.engine import open_engines
from hrnn_tuner.store.migrate import alembic_config, main, migrate
from hrnn_tuner.store.schema import metadata
from tests.support.tuning import START, create_job, make_spec
from tests.support.tuning_life import complete, launch, start

FIRST_ROWS = json.loads((Path(__file__).parent / "first_schema.json").read_text())
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    writer, reader = open_engines(database_url)
    yield writer
    writer.dispose()
    reader.dispose()


def revisions(engine: Engine) -> list[str]:
    """All revisions, the first one first."""
    with engine.connect() as connection:
        scripts = ScriptDirectory.from_config(alembic_config(connection)).walk_revisions()
        return [script.revision for script in scripts][::-1]


def tables(connection: Connection) -> dict[str, Table]:
    """The tables as they are in the database."""
    found = MetaData()
    found.reflect(connection)
    return {name: table for name, table in found.tables.items() if name != "alembic_version"}


def rows(engine: Engine) -> Rows:
    """Everything that is in the database, in an order of its own."""
    with engine.connect() as connection:
        return {
            name: sorted((dict(row._mapping) for row in connection.execute(select(table))), key=repr)
            for name, table in tables(connection).items()
        }


def shared(one: Rows, other: Rows) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Both without the tables and columns that only one of them has; a table without rows has all columns."""
    names = set(one) & set(other)
    columns = {name: [set(found[name][0]) for found in (one, other) if found[name]] for name in names}

    def cut(found: Rows) -> dict[str, list[str]]:
        return {
            name: sorted(
                str(sorted((key, row[key]) for key in set.intersection(*columns[name]))) for row in found[name]
            )
            for name in names
        }

    return cut(one), cut(other)


def insert_first_rows(engine: Engine) -> None:
    with engine.begin() as connection:
        for name, table in ((name, tables(connection)[name]) for name in FIRST_ROWS):
            for row in FIRST_ROWS[name]:
                values = {
                    key: base64.b64decode(item["base64"]) if isinstance(item, dict) else item
                    for key, item in row.items()
                }
                connection.execute(table.insert().values(values))


def fill(store: Store) -> TuningJob:
    """Puts something into every table, as the services do."""
    parent = create_job(store, make_spec("parent", max_training_jobs=3))
    complete(store, parent.id, [0.1, 0.3, 0.2])
    spec = make_spec("child", max_runtime_s=3600)
    job = create_job(store, spec)
    launch(store, job.id, 2)
    start(store, job.id, 1)
    start(store, job.id, 2, points=4)
    with store.write() as tx:
        change = tx.change(job.id, START + timedelta(hours=1))
        assert change is not None
        running = change.training_job(1)
        assert running is not None
        running = change.record_checkpoint(running, Checkpoint(3, "/artifacts/checkpoints/3", "sha256:00"))
        again = running.lost(FailureCause.WORKER_LOST, "lost", max_attempts=3, token="new", now=change.now)
        change.put(running, again)
        change.decide("RETRIED", 1, "its worker was lost", {"attempt": 2.0})
        change.write()
        tx.logs.add(job.id, 1, [LogLine(1, 0, START, "STDOUT", "hello")], keep_bytes=99)
        tx.standings.add(job.id, 1, Standing(level=1, pool=0, score=0.5, total=1.5, count=3))
        tx.parents.copy(job.id, [(parent, tx.training_jobs.get(parent.id, 2))])
        tx.outbox.add(OutboxMessage("x", "y", "t", "m", job.id, b"\0\xff", 2, 1, "00-trace-01"), START)
        tx.workers.seen(Worker("worker", "default", 2, START))
        tx.dead_messages.add(START, "t", "m", b"\1", "garbage")
        tx.tokens.add(new_token("default", Role.READ, START, expires_at=None, description="nightly")[0])
    return job


def test_what_the_first_version_wrote_survives_every_step_to_the_newest_schema(
    engine: Engine, database_url: str
) -> None:
    first, *others = revisions(engine)
    migrate(database_url, first)
    insert_first_rows(engine)
    before = rows(engine)
    assert {name: len(found) for name, found in before.items()} == {
        name: len(rows) for name, rows in FIRST_ROWS.items()
    }
    superseded = [row for row in before["metric_points"] if row["attempt"] == 1 and row["step"] and is_of_second(row)]
    assert len(superseded) == 3, "points of an attempt that another followed, which started from the beginning"
    before["metric_points"] = [row for row in before["metric_points"] if row not in superseded]
    for revision in others:
        migrate(database_url, revision)
        was, now = (
            shared(before, rows(engine)) if revision >= "0004" else shared(before, without(rows(engine), superseded))
        )
        assert now == was, revision


def is_of_second(point: dict[str, Any]) -> bool:
    """Whether a point is of the training job that is in its second attempt."""
    (job,) = [row for row in FIRST_ROWS["training_jobs"] if row["attempt"] == 2]
    return (point["tuning_job_id"], point["number"]) == (job["tuning_job_id"], job["number"])


def without(found: Rows, points: list[dict[str, Any]]) -> Rows:
    return found | {"metric_points": [row for row in found["metric_points"] if row not in points]}


def test_what_the_first_version_wrote_is_understood(engine: Engine, database_url: str) -> None:
    migrate(database_url, revisions(engine)[0])
    insert_first_rows(engine)
    migrate(database_url)
    store = Store(database_url)
    with store.read() as tx:
        ended, running = tx.tuning_jobs.by_name("default", "ended"), tx.tuning_jobs.by_name("default", "running")
        assert ended is not None
        assert running is not None
        assert (ended.state, ended.best_number, ended.best_value) == (TuningJobState.COMPLETED, 2, 0.75)
        assert ended.spec == make_spec("ended", max_training_jobs=3, output_uri="/artifacts")
        again = tx.training_jobs.get(running.id, 1)
        assert again is not None
        assert (again.attempt, again.failures) == (2, (FailureCause.WORKER_LOST,))
        (point,) = tx.metrics.page(running.id, 1, metrics=[], after=None, limit=9).rows
        assert (point.attempt, point.value != point.value) == (2, True)
        assert len(tx.events.after(running.id, 0, limit=999)) == running.revision
        (task,) = tx.outbox.claim(limit=9, before=START + timedelta(days=1))
        assert task[1].body == b"\0\xff"
    with store.write() as tx:  # and it goes on
        change = tx.change(running.id, START + timedelta(hours=2))
        assert change is not None
        job = change.training_job(1)
        assert job is not None
        change.put(job, job.completed(0.9, {"score": 0.9}, "/artifacts/1", change.now))
        change.write()
    store.close()


def test_each_step_back_and_forward_again_loses_only_what_the_older_schema_has_no_place_for(
    engine: Engine, database_url: str
) -> None:
    migrate(database_url)
    store = Store(database_url)
    job = fill(store)
    store.close()
    full = rows(engine)
    assert set(full) == set(metadata.tables)
    assert all(full.values()), "something is in every table"
    path = revisions(engine)
    for revision in [*path[-2::-1], *path[1:]]:
        before = rows(engine)
        migrate(database_url, revision)
        was, now = shared(before, rows(engine))
        assert now == {name: was[name] if name in before else [] for name in now}, revision
    survivors, kept = shared(full, {name: found for name, found in rows(engine).items() if found})
    lost_columns = set(full["training_jobs"][0]) - set(FIRST_ROWS["training_jobs"][0])
    assert {"failures", "checkpoint"} <= lost_columns
    assert set(FIRST_ROWS) <= set(kept)
    for name in FIRST_ROWS:
        assert len(kept[name]) == len(survivors[name])
    store = Store(database_url)
    with store.read() as tx:
        read = tx.tuning_jobs.get(job.id)
        assert read is not None
        assert read.spec == job.spec
    store.close()


def test_going_back_says_what_it_loses(engine: Engine) -> None:
    with engine.connect() as connection:
        scripts = list(ScriptDirectory.from_config(alembic_config(connection)).walk_revisions())
    silent = [script.revision for script in scripts[:-1] if "Going back" not in (script.module.__doc__ or "")]
    assert silent == []


def test_an_older_version_can_work_with_the_schema_of_the_next(engine: Engine, database_url: str) -> None:
    """Expand first: in an upgrade old and new processes run side by side on the new schema."""
    first, *others = revisions(engine)
    migrate(database_url, first)
    for revision in others:
        before = shape(engine)
        migrate(database_url, revision)
        after = shape(engine)
        assert set(before) <= set(after), f"{revision} takes tables away"
        for name, columns in before.items():
            assert {key: after[name].get(key) for key in columns} == columns, f"{revision} changes columns of {name}"
            for key in set(after[name]) - set(columns):
                _, nullable, default = after[name][key]
                assert nullable or default is not None, f"{revision}: an older version does not write {name}.{key}"


def shape(engine: Engine) -> dict[str, dict[str, tuple[str, bool, str | None]]]:
    """Type, nullability and default of every column."""
    found = inspect(engine)
    return {
        name: {
            column["name"]: (str(column["type"]), bool(column["nullable"]), column["default"])
            for column in found.get_columns(name)
        }
        for name in found.get_table_names()
    }


def test_the_command_goes_to_a_revision_and_refuses_one_that_there_is_not(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HRNN_TUNER_DATABASE_URL", database_url)
    for arguments, said in (
        (["--to", "0002"], "is at revision 0002"),
        ([], "is up to date"),
        (["--to", "0001"], "0001"),
    ):
        monkeypatch.setattr("sys.argv", ["migrate", *arguments])
        main()
        assert said in capsys.readouterr().out
    assert "parents" not in shape(engine)
    monkeypatch.setattr("sys.argv", ["migrate", "--to", "1234"])
    with pytest.raises(SystemExit, match="there is no revision '1234'; there are: 0001, 0002"):
        main()
