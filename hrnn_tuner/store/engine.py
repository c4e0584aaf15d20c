"""Database engines with the transaction modes that make decisions on fresh reads.

SQLite's driver default lets a transaction decide on stale reads, and a deferred BEGIN fails with "database is
locked" when it turns into a writer; so writers start with BEGIN IMMEDIATE and readers with BEGIN. On PostgreSQL
writers use READ COMMITTED with explicit row locks, and readers one snapshot (REPEATABLE READ).
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

BUSY_TIMEOUT_MS = 10_000
POOL_SIZE = 10
POOL_TIMEOUT_S = 10
_WAL_RETRY_S = 0.02
#: A connection that rested for longer is asked whether it lives before it is used.
PING_AFTER_S = 1.0
_USED_AT = "used_at"
#: A process that stops in the middle of a transaction (frozen, or cut off without a word) holds up everybody else's
#: work on the same tuning job for so long; then the server ends its session.
IDLE_IN_TRANSACTION_S = 10
#: Longest wait for a row lock: longer than a dead holder can keep it, shorter than a client's patience.
LOCK_TIMEOUT_S = 15
#: A server that vanished without a word is noticed after about so long.
VANISHED_SERVER_S = 10


def _postgresql_arguments() -> dict[str, Any]:
    """The parameters of every connection, as libpq names them."""
    timeouts = {"idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_S, "lock_timeout": LOCK_TIMEOUT_S}
    return {
        "connect_timeout": 5,
        "options": " ".join(f"-c {name}={seconds * 1000}" for name, seconds in timeouts.items()),
        "keepalives_idle": VANISHED_SERVER_S // 2,
        "keepalives_interval": 1,
        "keepalives_count": VANISHED_SERVER_S // 2,
        "tcp_user_timeout": VANISHED_SERVER_S * 1000,
    }


def parse_url(url: str) -> URL:
    """Parses a database URL.

    Raises:
        ValueError: When the database is neither SQLite nor PostgreSQL through psycopg.
    """
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise ValueError(f"database URL has {parsed.drivername!r}; allowed: sqlite, postgresql+psycopg")
    return parsed


def open_engines(url: str) -> tuple[Engine, Engine]:
    """Opens the engines for writing and for reading; both connect on first use."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, "BEGIN IMMEDIATE"), _sqlite(parsed, "BEGIN")
    common: dict[str, Any] = {
        "pool_size": POOL_SIZE,
        "max_overflow": 0,
        "pool_timeout": POOL_TIMEOUT_S,
        "connect_args": _postgresql_arguments(),
    }
    writer = create_engine(parsed, isolation_level="READ COMMITTED", **common)
    reader = create_engine(parsed, isolation_level="REPEATABLE READ", **common)
    for engine in (writer, reader):
        _ping_when_rested(engine)
    return writer, reader


def open_migration_engine(url: str) -> Engine:
    """Opens the engine for migrations.

    SQLite changes constraints only by copying a table and dropping the old one, and with foreign keys enforced that
    would delete the rows of all tables that refer to it.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, "BEGIN IMMEDIATE", enforce_foreign_keys=False)
    return create_engine(parsed, isolation_level="READ COMMITTED", connect_args=_postgresql_arguments())


def _ping_when_rested(engine: Engine) -> None:
    """Has the pool replace dead connections, asking only those that were not used for a while whether they live.

    A busy service would otherwise ask the server twice for each transaction. A connection that died this very moment
    costs one transaction an error, as it would if it died within it.
    """

    @event.listens_for(engine, "checkin")
    def note(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_USED_AT] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ask(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        used_at = record.info.get(_USED_AT)
        if used_at is None or time.monotonic() - used_at < PING_AFTER_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError("the connection died while it rested") from error


def _use_write_ahead_log(cursor: sqlite3.Cursor) -> None:
    """Switches to WAL; of several connections that do so to a new file, SQLite refuses some without waiting.

    Raises:
        sqlite3.OperationalError: When the database stays locked for the busy timeout.
    """
    give_up_at = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
            time.sleep(_WAL_RETRY_S)
        else:
            return


def _sqlite(url: URL, begin: str, *, enforce_foreign_keys: bool = True) -> Engine:
    """An engine whose transactions start with the given statement."""
    engine = create_engine(url, pool_size=POOL_SIZE, max_overflow=0, pool_timeout=POOL_TIMEOUT_S)

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver starts no transaction of its own
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        _use_write_ahead_log(cursor)
        for pragma in ("synchronous=NORMAL", f"foreign_keys={'ON' if enforce_foreign_keys else 'OFF'}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
