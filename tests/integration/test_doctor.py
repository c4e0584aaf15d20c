"""`hrnn-tuner doctor` at real databases, a real broker and a real API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command

from hrnn_tuner.broker import Message
from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.broker.topology import REPORTS_EXCHANGE, REPORTS_SHARD, reports_queue
from hrnn_tuner.doctor import Check, Finding, Server, Severity, broker, database, examine
from hrnn_tuner.doctor import api as api_check
from hrnn_tuner.settings import Settings
from hrnn_tuner.store import Store, Worker
from hrnn_tuner.store.engine import open_engines
from hrnn_tuner.store.migrate import alembic_config, migrate
from tests.support.api import Api
from tests.support.ports import free_port
from tests.support.tuning import open_store
from tests.support.waiting import wait_until


def severities(findings: object) -> list[str]:
    return [finding.severity.value for finding in list[Finding](findings)]  # type: ignore[call-overload]


def test_a_database_of_this_version_is_fine_and_an_older_or_newer_one_is_not(database_url: str) -> None:
    settings = Settings(database_url=database_url)
    migrate(database_url)
    assert severities(database.check(settings)) == ["OK"]
    assert severities(database.check_clock(settings)) == ["OK"]
    writer, reader = open_engines(database_url)
    with writer.begin() as connection:
        command.downgrade(alembic_config(connection), "-1")
    (older,) = database.check(settings)
    assert (older.severity, older.advice) == (Severity.PROBLEM, "migrate it: python -m hrnn_tuner.store.migrate")
    migrate(database_url)
    with writer.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    (newer,) = database.check(settings)
    assert newer.severity is Severity.PROBLEM
    assert "upgrade hrnn-tuner" in newer.advice
    writer.dispose()
    reader.dispose()


def test_a_database_file_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'none.db'}")
    assert severities(database.check(settings)) == ["PROBLEM"]
    assert list(database.check_clock(settings)) == []
    assert list(tmp_path.iterdir()) == []


def test_a_database_server_that_is_away_is_a_problem() -> None:
    settings = Settings(database_url=f"postgresql://nobody:secret@127.0.0.1:{free_port()}/none")
    ((_, finding),) = examine([Check("database", lambda: database.check(settings), "see that it runs")])
    assert (finding.severity, finding.advice) == (Severity.PROBLEM, "see that it runs")
    assert "secret" not in finding.text


def test_classes_without_a_live_worker_are_named(database_url: str) -> None:
    store: Store = open_store(database_url)
    now = datetime.now(UTC)
    with store.write() as tx:
        tx.workers.seen(Worker("w-1", "gpu", 4, now))
        tx.workers.seen(Worker("w-2", "cpu", 2, now - timedelta(hours=1)))
    store.close()
    found = database.check_workers(Settings(database_url=database_url, resource_classes=("gpu", "cpu")))
    assert [finding.text.split(" was")[0] for finding in found] == [
        "4 live slots of class gpu",
        "no worker of class cpu",
    ]


def test_a_broker_is_asked_for_its_version_its_queues_and_who_listens(amqp_vhost_url: str) -> None:
    settings = Settings(broker_url=amqp_vhost_url)
    before = broker.check(settings)
    assert severities(before) == ["OK", "WARNING"]
    assert "queues are missing" in before[1].text
    with open_broker(amqp_vhost_url, name="scheduler", resource_classes=["default"]) as link:
        assert [finding.text.partition(" listens")[0] for finding in broker.check(settings)[1:]] == [
            "4 queues, 0 messages wait",
            "no scheduler",
        ]
        link.subscribe(reports_queue(), lambda delivery: delivery.ack(), prefetch=1)
        link.publish(REPORTS_EXCHANGE, REPORTS_SHARD, Message("x", b""))
        assert severities(broker.check(settings)) == ["OK", "OK"]


def test_a_broker_that_is_away_is_a_problem() -> None:
    settings = Settings(broker_url=f"amqp://guest:secret@127.0.0.1:{free_port()}/")
    ((_, finding),) = examine([Check("broker", lambda: broker.check(settings), "see that it runs")])
    assert finding.severity is Severity.PROBLEM
    assert "refused" in finding.text
    assert "secret" not in finding.text


def test_an_api_says_its_version_with_every_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    address = api.server.address
    wait_until(lambda: severities(api_check.check(Server(address))) == ["OK"])
    (found,) = api_check.check(Server(address))
    assert (found.severity, found.text) == (Severity.OK, f"{address} serves; its version is 0.1.0")
    monkeypatch.setattr("hrnn_tuner.doctor.api.__version__", "9.1.0")
    assert severities(api_check.check(Server(address))) == ["WARNING"]
    (away,) = api_check.check(Server(f"127.0.0.1:{free_port()}"))
    assert away.severity is Severity.PROBLEM
