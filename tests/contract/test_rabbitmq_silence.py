"""A broker that lives and does not answer holds nobody up for ever."""

import threading
import time
from collections.abc import Iterator

import pytest

from hrnn_tuner.broker import amqp_link
from hrnn_tuner.broker.amqp_link import AmqpLink
from hrnn_tuner.broker.amqp_pika import Connection
from hrnn_tuner.broker.contract import BrokerUnavailable
from tests.chaos.proxy import Proxies, Proxy
from tests.support.rabbitmq_node import RabbitMqNode
from tests.support.waiting import wait_until

ANSWER_TIMEOUT_S = 0.5
ENOUGH_S = 10.0


class Asking:
    """A link's user that asks the broker for a queue, with the network falling silent before the first time."""

    def __init__(self, proxies: Proxies, proxy: Proxy) -> None:
        self.silent = threading.Event()
        self._proxies = proxies
        self.proxy = proxy

    def on_connected(self, connection: Connection) -> None:
        if not self.silent.is_set():
            self.fall_silent()
        ask(connection)

    def on_lost(self) -> None:
        """The broker can be reached again once the link has given up."""
        self._proxies.run(self.proxy.heal())

    def fall_silent(self) -> None:
        self._proxies.run(self.proxy.half_open())
        self.silent.set()


def ask(connection: Connection) -> None:
    connection.channel().queue_declare("", exclusive=True, auto_delete=True)


@pytest.fixture
def proxies() -> Iterator[Proxies]:
    with Proxies() as proxies:
        yield proxies


@pytest.fixture
def user(proxies: Proxies, rabbitmq_node: RabbitMqNode) -> Asking:
    return Asking(proxies, proxies.add(rabbitmq_node.port))


@pytest.fixture
def link(user: Asking) -> Iterator[AmqpLink]:
    link = AmqpLink(f"amqp://guest:guest@127.0.0.1:{user.proxy.port}/%2F", "silence", user)
    yield link
    link.close()


def test_a_set_up_without_an_answer_is_given_up_and_made_again(
    link: AmqpLink, user: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp_link, "ANSWER_TIMEOUT_S", ANSWER_TIMEOUT_S)
    link.start()
    assert user.silent.wait(ENOUGH_S)
    assert link.wait_ready(ENOUGH_S)
    assert link.generation == 2


def test_a_request_without_an_answer_fails_and_the_link_connects_again(
    link: AmqpLink, user: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.silent.set()
    link.start()
    assert link.wait_ready(ENOUGH_S)
    monkeypatch.setattr(amqp_link, "ANSWER_TIMEOUT_S", ANSWER_TIMEOUT_S)
    user.fall_silent()
    with pytest.raises(BrokerUnavailable):
        link.call(ask).result(ENOUGH_S)
    wait_until(lambda: link.generation == 2 and link.ready, ENOUGH_S, "the next connection")


def test_closing_does_not_wait_for_an_answer_to_the_set_up(link: AmqpLink, user: Asking) -> None:
    link.start()
    assert user.silent.wait(ENOUGH_S)
    started = time.monotonic()
    link.close()
    assert time.monotonic() - started < amqp_link.ANSWER_TIMEOUT_S / 3
