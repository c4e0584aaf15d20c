"""What the broker contract's test cases share: a topology, and ways to publish and to look at queues."""

from collections.abc import Callable

import pytest

from hrnn_tuner.broker import Broker, Message
from hrnn_tuner.broker.topology import TASKS_EXCHANGE, Queue, Topology, build_topology, tasks_queue
from tests.support.waiting import wait_until

Connect = Callable[[str], Broker]

GPU = tasks_queue("gpu")
#: A queue that refuses messages; in production a policy says how long a queue may be.
BOUNDED = tasks_queue("bounded")
BOUNDED_LENGTH = 2


def contract_topology() -> Topology:
    """The project's topology with one more queue, which is short."""
    arguments: dict[str, str | int] = {
        "x-queue-type": "quorum",
        "x-max-length": BOUNDED_LENGTH,
        "x-overflow": "reject-publish",
    }
    topology = build_topology(["gpu", "cpu"])
    bounded = Queue(BOUNDED, TASKS_EXCHANGE, "bounded", arguments)
    return Topology(topology.exchanges, (*topology.queues, bounded))


def send(broker: Broker, *bodies: bytes, key: str = "gpu") -> None:
    """Publishes tasks."""
    for body in bodies:
        broker.publish(TASKS_EXCHANGE, key, Message("test.Task", body))


def wait_depth(broker: Broker, queue: str, depth: int) -> None:
    wait_until(lambda: broker.depth(queue) == depth, message=f"{depth} ready messages in {queue}")


class BrokerCases:
    """Base of the test cases; ``connect(name)`` opens a link to one broker with `contract_topology`."""

    @pytest.fixture
    def broker(self, connect: Connect) -> Broker:
        return connect("first")

    @pytest.fixture
    def other(self, connect: Connect) -> Broker:
        return connect("second")
