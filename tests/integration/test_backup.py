"""The backup and restore commands of deploy/operations.md, as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import Store, TuningJobQuery
from tests.support.invariants import read_events, read_training_jobs
from tests.support.stack import REPOSITORY
from tests.support.tuning import create_job, make_spec, open_store
from tests.support.tuning_life import complete, launch

COMMANDS = dict(
    re.findall(r"```bash\n# (\w+: \w+)[^\n]*\n(.+?)```", (REPOSITORY / "deploy/operations.md").read_text(), re.DOTALL)
)


def run(command: str, **variables: str) -> None:
    """Runs a command of the document; the newest PostgreSQL programs come first on the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parts[-2]), reverse=True)
    path = os.pathsep.join([*map(str, versions), os.environ["PATH"]])
    subprocess.run(
        ["bash", "-euc", COMMANDS[command]], env=os.environ | {"PATH": path} | variables, check=True, timeout=60
    )


def fill(store: Store) -> TuningJob:
    job = create_job(store, make_spec("kept", max_training_jobs=3))
    complete(store, job.id, [0.1, 0.3, 0.2])
    return job


def names(url: str) -> list[str]:
    store = Store(url)
    with store.read() as tx:
        found = [job.spec.name for job in tx.tuning_jobs.page(TuningJobQuery(project=None), after=None, limit=99).rows]
    store.close()
    return found


def is_whole(url: str, job: TuningJob) -> bool:
    """Whether a tuning job is there with a log that says the same as its rows."""
    store = Store(url)
    with store.read() as tx:
        found = tx.tuning_jobs.get(job.id)
    events, rows = read_events(store, job.id), read_training_jobs(store, job.id)
    store.close()
    assert found is not None
    return len(events) == found.revision and found.best_number == 2 and len(rows) == found.counters.completed == 3


def test_the_document_has_the_four_commands() -> None:
    assert sorted(COMMANDS) == ["PostgreSQL: back", "PostgreSQL: restore", "SQLite: back", "SQLite: restore"]


def test_a_backup_of_sqlite_in_use_is_restored_whole(tmp_path: Path) -> None:
    database, backup = tmp_path / "tuner.db", tmp_path / "backup.db"
    url = f"sqlite:///{database}"
    store = open_store(url)
    job = fill(store)
    with store.write() as tx:  # a change that is not committed is no part of a backup
        tx.tuning_jobs.delete(job.id)
        run("SQLite: back", DATABASE=str(database), BACKUP=str(backup))
    create_job(store, make_spec("later"))
    store.close()
    assert names(url) == ["later"]
    run("SQLite: restore", DATABASE=str(database), BACKUP=str(backup))
    assert names(url) == ["kept"]
    assert is_whole(url, job)


@pytest.mark.skipif(
    shutil.which("pg_dump") is None and not list(Path("/usr/lib/postgresql").glob("*/bin/pg_dump")),
    reason="PostgreSQL's client programs are not installed",
)
def test_a_backup_of_postgresql_in_use_is_restored_whole_over_what_came_later(
    postgres_database: str, tmp_path: Path
) -> None:
    plain = make_url(postgres_database).set(drivername="postgresql").render_as_string(hide_password=False)
    backup = str(tmp_path / "backup.dump")
    store = open_store(postgres_database)
    job = fill(store)
    with store.write() as tx:
        tx.tuning_jobs.delete(job.id)
        run("PostgreSQL: back", URL=plain, BACKUP=backup)
    later = create_job(store, make_spec("later"))
    launch(store, later.id, 1)
    store.close()
    run("PostgreSQL: restore", URL=plain, BACKUP=backup)
    assert names(postgres_database) == ["kept"]
    assert is_whole(postgres_database, job)
    again = Store(postgres_database)
    create_job(again, make_spec("after"))  # and it goes on
    again.close()
