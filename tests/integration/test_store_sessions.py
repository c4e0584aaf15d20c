"""PostgreSQL sessions of processes that stop in the middle of a transaction."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.store import Store, engine
from tests.support.tuning import START, create_job, make_spec, open_store

PATIENCE_S = 20.0


def test_a_frozen_process_does_not_keep_a_tuning_job_locked(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "IDLE_IN_TRANSACTION_S", 1)
    frozen, other = open_store(postgres_database), Store(postgres_database)
    job = create_job(frozen, make_spec())
    locked, thaw = threading.Event(), threading.Event()
    errors: list[Exception] = []

    def freeze_in_the_middle() -> None:
        try:
            with frozen.write() as tx:
                tx.change(job.id, START)
                locked.set()
                thaw.wait(PATIENCE_S)
                tx.tuning_jobs.get(job.id)
        except ServiceUnavailable as error:
            errors.append(error)

    thread = threading.Thread(target=freeze_in_the_middle)
    thread.start()
    assert locked.wait(PATIENCE_S)
    with other.write() as tx:
        change = tx.change(job.id, START)
        assert change is not None
        change.decide("TEST", 0, "the lock was free")
        change.write()
    thaw.set()
    thread.join(PATIENCE_S)
    assert len(errors) == 1, "what the frozen one would have written is gone, and it can tell"
    frozen.close()
    other.close()


def test_a_lock_is_not_waited_for_without_end(postgres_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LOCK_TIMEOUT_S", 1)
    first, second = open_store(postgres_database), Store(postgres_database)
    job = create_job(first, make_spec())
    with first.write() as tx:
        tx.change(job.id, START)
        with pytest.raises(ServiceUnavailable), second.write() as blocked:
            blocked.change(job.id, START)
    first.close()
    second.close()


def test_every_connection_notices_a_server_that_vanished(postgres_database: str) -> None:
    store = open_store(postgres_database)
    with store.read() as tx, store._reader.connect() as connection:
        assert tx is not None
        parameters = connection.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
        names = ("keepalives_idle", "keepalives_count", "tcp_user_timeout")
        assert {name: parameters[name] for name in names} == {
            "keepalives_idle": "5",
            "keepalives_count": "5",
            "tcp_user_timeout": "10000",
        }
        assert connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar() == "10s"
        assert connection.execute(text("SHOW lock_timeout")).scalar() == "15s"
    store.close()


def test_a_connection_that_died_while_it_rested_is_replaced(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "PING_AFTER_S", 0.0)
    store, killer = open_store(postgres_database), Store(postgres_database)
    store.ping()
    others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = :n"
    )
    with killer._writer.begin() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        assert connection.execute(others, {"n": name}).scalars().all()
    store.ping()
    for opened in (store, killer):
        opened.close()
