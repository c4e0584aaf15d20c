"""The in-memory broker keeps the contract."""

from collections.abc import Callable, Iterator

import pytest

from hrnn_tuner.broker import Broker, Message
from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.broker.limits import CONTROL_QUEUE_LENGTH
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.memory_queue import MemoryQueue
from hrnn_tuner.broker.routing import key_matches
from hrnn_tuner.broker.topology import build_topology, tasks_queue
from tests.contract.broker_cases import contract_topology, send
from tests.contract.broker_contract import BrokerContract
from tests.support.inbox import Inbox, acknowledge


class TestInMemoryBroker(BrokerContract):
    @pytest.fixture
    def connect(self) -> Iterator[Callable[[str], Broker]]:
        hub = InMemoryHub(contract_topology())
        opened: list[Broker] = []

        def connect(name: str) -> Broker:
            opened.append(hub.connect(name))
            return opened[-1]

        yield connect
        for broker in opened:
            broker.close()


def test_links_to_one_hub_are_opened_by_url() -> None:
    hub = InMemoryHub(build_topology(["gpu"]))
    inbox = Inbox(acknowledge)
    with (
        open_broker("memory://", name="a", resource_classes=["gpu"], hub=hub) as first,
        open_broker("memory://", name="b", resource_classes=["gpu"], hub=hub) as second,
    ):
        second.subscribe(tasks_queue("gpu"), inbox, prefetch=1)
        send(first, b"x")
        inbox.wait(1)


@pytest.mark.parametrize("url", ["memory://", "redis://localhost", "localhost:5672", ""])
def test_a_url_that_names_no_broker_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="memory://"):
        open_broker(url, name="a", resource_classes=["gpu"])


def test_a_queue_of_hints_drops_its_oldest() -> None:
    queue = MemoryQueue("q", {"x-max-length": CONTROL_QUEUE_LENGTH, "x-overflow": "drop-head"})
    for number in range(CONTROL_QUEUE_LENGTH + 3):
        assert queue.has_room()
        queue.put(Message("t", b"%d" % number), "k")
    assert [queue.ready[0].message.body, queue.ready[-1].message.body] == [b"3", b"102"]


@pytest.mark.parametrize(
    ("pattern", "key", "matches"),
    [
        ("#", "a.b.c", True),
        ("#", "", True),
        ("a.#", "a", True),
        ("a.#", "a.b.c", True),
        ("a.#", "b.a", False),
        ("a.*", "a.b", True),
        ("a.*", "a", False),
        ("a.*", "a.b.c", False),
        ("*.b", "a.b", True),
        ("a.#.z", "a.z", True),
        ("a.#.z", "a.b.c.z", True),
        ("a.#.z", "a.b.c", False),
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
    ],
)
def test_topic_patterns_match_as_in_amqp(pattern: str, key: str, matches: bool) -> None:
    assert key_matches("topic", pattern, key) is matches


def test_an_unknown_kind_of_exchange_is_an_error() -> None:
    with pytest.raises(ValueError, match="headers"):
        key_matches("headers", "a", "a")
