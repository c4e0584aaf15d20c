"""What the queues' arguments promise, beyond what one broker's tests can show."""

from hrnn_tuner.broker.topology import build_topology

TOPOLOGY = build_topology(["gpu", "cpu"])


def test_every_queue_is_replicated_and_durable() -> None:
    assert {queue.arguments["x-queue-type"] for queue in TOPOLOGY.queues} == {"quorum"}


def test_no_queue_hangs_on_the_dead_letter_supervisor_of_a_node() -> None:
    # With at-least-once dead-lettering, a virtual host that is deleted while RabbitMQ 3.10 starts its queues ends that
    # supervisor for good; every such queue then refuses consumers and messages until the node restarts.
    assert not [queue.name for queue in TOPOLOGY.queues if "x-dead-letter-strategy" in queue.arguments]


def test_dead_lettered_queues_never_drop_their_oldest_messages() -> None:
    dead_lettered = [queue for queue in TOPOLOGY.queues if "x-dead-letter-exchange" in queue.arguments]
    assert dead_lettered
    assert {queue.arguments["x-overflow"] for queue in dead_lettered} == {"reject-publish"}
