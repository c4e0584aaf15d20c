"""Brings a database's schema to this version: ``python -m hrnn_tuner.store.migrate``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
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


def upgrade(url: str, revision: str = "head") -> None:
    """Migrates forward. Concurrent calls wait for each other.

    Raises:
        ValueError: When a PostgreSQL database is not in UTF-8.
    """
    with _migrating(url) as connection:
        command.upgrade(alembic_config(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Migrates back.

    Raises:
        ValueError: When a PostgreSQL database is not in UTF-8.
    """
    with _migrating(url) as connection:
        command.downgrade(alembic_config(connection), revision)


@contextmanager
def _migrating(url: str) -> Iterator[Connection]:
    """The transaction of a migration; only one at a time."""
    engine = open_migration_engine(url)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
                if encoding not in {"UTF8", b"UTF8"}:
                    raise ValueError(f"the database's encoding is {encoding}; allowed: UTF8")
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            yield connection
            if connection.dialect.name == "sqlite" and connection.execute(text("PRAGMA foreign_key_check")).first():
                raise AssertionError("the migration would leave rows that refer to nothing")
    finally:
        engine.dispose()


def main() -> None:
    """Migrates the database of the settings."""
    settings = Settings()
    upgrade(settings.database_url)
    sys.stdout.write("database schema is up to date\n")


if __name__ == "__main__":
    main()
