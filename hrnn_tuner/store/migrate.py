"""Brings a database's schema to this version: ``python -m hrnn_tuner.store.migrate``.

``--to REVISION`` stops at a revision, or goes back to it: before a rollback to an older version of the services, with
this version's code. What a step back loses, the docstring of its migration says.
"""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from hrnn_tuner.settings import Settings
from hrnn_tuner.store.engine import open_migration_engine

#: Any number that no other program uses for an advisory lock in this database.
_MIGRATION_LOCK = 4_721_903


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for a connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(str(files("hrnn_tuner.store") / "migrations"))))
    config.attributes["connection"] = connection
    return config


def migrate(url: str, revision: str = "head") -> None:
    """Migrates forward, or back when the database is beyond the revision. Concurrent calls wait for each other.

    Raises:
        ValueError: When a PostgreSQL database is not in UTF-8, or there is no such revision.
    """
    engine = open_migration_engine(url)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
                if encoding not in {"UTF8", b"UTF8"}:
                    raise ValueError(f"the database's encoding is {encoding}; allowed: UTF8")
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            _migrate(connection, revision)
            if connection.dialect.name == "sqlite" and connection.execute(text("PRAGMA foreign_key_check")).first():
                raise AssertionError("the migration would leave rows that refer to nothing")
    finally:
        engine.dispose()


def _migrate(connection: Connection, revision: str) -> None:
    """Goes to a revision from wherever the database is."""
    config = alembic_config(connection)
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]  # the newest first
    target = known[0] if revision == "head" else revision
    if target not in known:
        raise ValueError(f"there is no revision {revision!r}; there are: {', '.join(reversed(known))}")
    current = MigrationContext.configure(connection).get_current_revision()
    if current in known and known.index(current) < known.index(target):
        command.downgrade(config, target)
    else:
        command.upgrade(config, target)


def main() -> None:
    """Migrates the database of the settings."""
    parser = argparse.ArgumentParser(
        prog="python -m hrnn_tuner.store.migrate", description="Migrates the database of HRNN_TUNER_DATABASE_URL."
    )
    parser.add_argument(
        "--to", metavar="REVISION", default="head", help="where to stop, or to go back to; default: the newest"
    )
    revision = parser.parse_args().to
    try:
        migrate(Settings().database_url, revision)
    except ValueError as error:
        sys.exit(f"error: {error}")
    where = "is up to date" if revision == "head" else f"is at revision {revision}"
    sys.stdout.write(f"database schema {where}\n")


if __name__ == "__main__":
    main()
