"""What services prove to each other: RabbitMQ users with few rights, TLS to PostgreSQL."""

from __future__ import annotations

import itertools
from pathlib import Path
from urllib.parse import quote

import pika  # type: ignore[import-untyped]  # pika ships no py.typed marker
import pytest
import trustme
from pika.exceptions import ChannelClosedByBroker  # type: ignore[import-untyped]
from sqlalchemy import text

from hrnn_tuner.broker.definitions import USERS, definitions
from hrnn_tuner.broker.rabbitmq import RabbitMqBroker
from hrnn_tuner.broker.topology import JOBS_EXCHANGE, REPORTS_EXCHANGE, TASKS_EXCHANGE, build_topology
from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.store import Store
from hrnn_tuner.store.engine import open_engines
from tests.support.postgres import PrivatePostgres
from tests.support.rabbitmq_node import RabbitMqNode
from tests.support.specifications import synthetic_spec
from tests.support.stack import COLD, Stack
from tests.support.waiting import wait_until

PASSWORDS = {user.name: f"{user.name}-password" for user in USERS}
ACCESS_REFUSED = 403
NAMES = [user.name for user in USERS]
EXCHANGES = {exchange.name for exchange in build_topology(["default"]).exchanges}
QUEUES = {queue.name for queue in build_topology(["default"]).queues}


@pytest.fixture
def restricted(rabbitmq_node: RabbitMqNode, private_vhost: str) -> dict[str, str]:
    """URLs of a virtual host for each service's own user."""
    rabbitmq_node.import_definitions(definitions(PASSWORDS, private_vhost))
    return {
        name: f"amqp://{name}:{password}@127.0.0.1:{rabbitmq_node.port}/{quote(private_vhost)}"
        for name, password in PASSWORDS.items()
    }


@pytest.mark.timeout(300)  # four processes start
def test_a_tuning_job_runs_with_a_user_for_each_service(
    restricted: dict[str, str], tmp_path: Path, postgres_database: str
) -> None:
    users = {"api_service": "hrnn-api", "scheduler_service": "hrnn-scheduler", "worker_service": "hrnn-worker"}
    with Stack(
        tmp_path,
        database_url=postgres_database,
        broker_url=restricted["hrnn-scheduler"],
        settings=COLD,
        broker_urls={module: restricted[name] for module, name in users.items()},
    ) as stack:
        stack.client.create_tuning_job(synthetic_spec("job", max_training_jobs=3, max_parallel=2))
        assert stack.client.wait("job", timeout_s=90).training_job_state_counters.completed == 3


def allowed(url: str, action: str, name: str) -> bool:
    """Whether a user may do something with an exchange or a queue."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        channel = connection.channel()
        if action == "publish":
            channel.confirm_delivery()
            channel.basic_publish(name, "nobody", b"")
        elif action == "consume":
            channel.basic_consume(name, lambda *_: None)
        else:
            channel.queue_delete(name)
    except ChannelClosedByBroker as error:
        if error.reply_code != ACCESS_REFUSED:
            raise
        return False
    finally:
        if connection.is_open:
            connection.close()
    return True


def test_each_user_has_no_more_rights_than_its_service_needs(restricted: dict[str, str]) -> None:
    with RabbitMqBroker(restricted["hrnn-scheduler"], "scheduler", build_topology(["default"])) as scheduler:
        wait_until(lambda: scheduler.connected, 30, "the topology to be declared")
    found = {
        (name, exchange) for name, exchange in itertools.product(NAMES[::2], EXCHANGES)
        if allowed(restricted[name], "publish", exchange)
    }  # fmt: skip
    assert found == {("hrnn-api", JOBS_EXCHANGE), ("hrnn-worker", REPORTS_EXCHANGE)}
    found = {
        (name, queue) for name, queue in itertools.product(NAMES[::2], QUEUES)
        if allowed(restricted[name], "consume", queue)
    }  # fmt: skip
    assert found == {("hrnn-worker", f"{TASKS_EXCHANGE}.default")}
    assert not any(allowed(restricted[name], "delete", queue) for name in NAMES[::2] for queue in QUEUES)


def test_a_service_that_may_not_declare_waits_for_the_one_that_does(restricted: dict[str, str]) -> None:
    topology = build_topology(["default"])
    with RabbitMqBroker(restricted["hrnn-worker"], "worker", topology, connect_timeout_s=0.5) as worker:
        assert not worker.connected
        with RabbitMqBroker(restricted["hrnn-scheduler"], "scheduler", topology):
            wait_until(lambda: worker.connected, 30, "the worker to find the topology")


def test_postgresql_is_reached_by_tls_that_is_checked(tmp_path: Path) -> None:
    authority = trustme.CA()
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    (tmp_path / "other.pem").write_bytes(trustme.CA().cert_pem.bytes())
    server = PrivatePostgres(authority.issue_cert("127.0.0.1"))
    try:
        server.start()
        writer, reader = open_engines(f"{server.url}?sslmode=verify-full&sslrootcert={tmp_path / 'ca.pem'}")
        for engine in (writer, reader):
            with engine.connect() as connection:
                own = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                assert connection.execute(own).scalar_one() is True
            engine.dispose()
        stranger = Store(f"{server.url}?sslmode=verify-full&sslrootcert={tmp_path / 'other.pem'}")
        with pytest.raises(ServiceUnavailable):
            stranger.ping()
        stranger.close()
    finally:
        server.close()
