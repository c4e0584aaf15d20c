"""The database: its schema, its clock, and which workers it has heard of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hrnn_tuner.doctor.contract import Finding, ok, problem, warning
from hrnn_tuner.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

_MIGRATE = "python -m hrnn_tuner.store.migrate"
_INSTALL = "run it where the API or the scheduler is installed: pip install 'hrnn-tuner[api,postgres]'"
#: Leases and time limits are counted in seconds, by the clocks of several machines.
_SKEW_WARNING_S, _SKEW_PROBLEM_S = 1.0, 10.0


class _Unreachable(Exception):
    """The database cannot be looked at from here; holds the finding that says so."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


@contextmanager
def _connection(settings: Settings) -> Iterator[Connection]:
    """A connection for reading.

    Raises:
        _Unreachable: When the libraries or the file are missing.
        sqlalchemy.exc.SQLAlchemyError: When the database does not answer.
    """
    try:
        from hrnn_tuner.store.engine import open_engines, parse_url  # clients are installed without SQLAlchemy
    except ImportError as error:
        raise _Unreachable(warning(f"not looked at: {error}", _INSTALL)) from error
    url = parse_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        advice = f"create it: {_MIGRATE}; 'hrnn-tuner serve' does so by itself, in its --data-dir"
        raise _Unreachable(problem(f"{url.database} does not exist", advice))
    writer, reader = open_engines(settings.database_url)
    try:
        with reader.connect() as connection:
            yield connection
    finally:
        writer.dispose()
        reader.dispose()


def check(settings: Settings) -> Sequence[Finding]:
    """Whether it answers and has this version's schema."""
    try:
        with _connection(settings) as connection:
            from alembic.migration import MigrationContext
            from alembic.script import ScriptDirectory

            from hrnn_tuner.store.migrate import alembic_config

            known = ScriptDirectory.from_config(alembic_config(connection))
            revision = MigrationContext.configure(connection).get_current_revision()
            head = known.get_current_head()
            server = ".".join(map(str, connection.dialect.server_version_info or ()))
            text = f"{connection.dialect.name} {server}, schema {revision or 'missing'}"
            if revision == head:
                return [ok(text)]
            if revision is None or revision in {script.revision for script in known.walk_revisions()}:
                return [problem(f"{text}, needed is {head}", f"migrate it: {_MIGRATE}")]
            return [problem(f"{text} is newer than {head}", "upgrade hrnn-tuner here: the database is ahead of it")]
    except _Unreachable as error:
        return [error.finding]


def check_clock(settings: Settings) -> Sequence[Finding]:
    """How far this machine's clock is from the database's."""
    try:
        with _connection(settings) as connection:
            if connection.dialect.name == "sqlite":
                return [ok("the database has this machine's clock")]
            from sqlalchemy import text

            before = datetime.now(UTC)
            theirs: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            after = datetime.now(UTC)
    except _Unreachable:
        return []  # `check` says why
    skew_s = (theirs - (before + (after - before) / 2)).total_seconds()
    certainty_s = (after - before).total_seconds() / 2
    found = f"the database's clock is {skew_s:+.3f} s from this machine's (±{certainty_s:.3f} s)"
    advice = "let both machines follow NTP: leases, time limits and logs compare times of several machines"
    if abs(skew_s) - certainty_s > _SKEW_PROBLEM_S:
        return [problem(found, advice)]
    return [warning(found, advice)] if abs(skew_s) - certainty_s > _SKEW_WARNING_S else [ok(found)]


def check_workers(settings: Settings) -> Sequence[Finding]:
    """Which resource classes have workers that live."""
    try:
        with _connection(settings) as connection:
            from hrnn_tuner.store.workers import WorkerRepository

            seen_after = datetime.now(UTC) - timedelta(seconds=settings.lease_ttl_s)
            slots = WorkerRepository(connection).slots(seen_after=seen_after)
    except _Unreachable:
        return []  # `check` says why
    findings = [ok(f"{number} live slots of class {name}") for name, number in sorted(slots.items())]
    for name in settings.resource_classes:
        if not slots.get(name):
            advice = "start one where the GPU is: python -m worker_service; its log says what it waits for"
            findings.append(warning(f"no worker of class {name} was heard of for {settings.lease_ttl_s:g} s", advice))
    return findings
