"""What every broker must do. Each implementation's tests inherit the class and provide the `connect` fixture."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from hrnn_tuner.broker import Broker, BrokerUnavailable, Delivery, Message, MessageRefused, MessageUnroutable
from hrnn_tuner.broker.limits import MAX_BODY_BYTES
from hrnn_tuner.broker.topology import (
    CONTROL_EXCHANGE,
    DEAD_QUEUE,
    EVENTS_EXCHANGE,
    REPORTS_EXCHANGE,
    REPORTS_SHARD,
    TASK_DELIVERY_LIMIT,
    TASKS_EXCHANGE,
    Queue,
    Topology,
    build_topology,
    job_key,
    reports_queue,
    tasks_queue,
    worker_key,
)
from tests.support.inbox import Inbox, acknowledge
from tests.support.waiting import wait_until

Connect = Callable[[str], Broker]

GPU = tasks_queue("gpu")
#: A queue that refuses messages; in production a policy says how long a queue may be.
BOUNDED = tasks_queue("bounded")
BOUNDED_LENGTH = 2


def contract_topology() -> Topology:
    """The project's topology with one more queue, which is short."""
    arguments = {"x-queue-type": "quorum", "x-max-length": BOUNDED_LENGTH, "x-overflow": "reject-publish"}
    topology = build_topology(["gpu", "cpu"])
    bounded = Queue(BOUNDED, TASKS_EXCHANGE, "bounded", arguments)
    return Topology(topology.exchanges, (*topology.queues, bounded))


def send(broker: Broker, *bodies: bytes, key: str = "gpu") -> None:
    """Publishes tasks."""
    for body in bodies:
        broker.publish(TASKS_EXCHANGE, key, Message("test.Task", body))


def wait_depth(broker: Broker, queue: str, depth: int) -> None:
    wait_until(lambda: broker.depth(queue) == depth, message=f"{depth} ready messages in {queue}")


class BrokerContract:
    """Test cases; ``connect(name)`` opens a link to one broker with `contract_topology`, and closes it at the end."""

    @pytest.fixture
    def broker(self, connect: Connect) -> Broker:
        return connect("first")

    @pytest.fixture
    def other(self, connect: Connect) -> Broker:
        return connect("second")

    # Publishing

    def test_a_published_message_reaches_the_subscriber_with_all_its_properties(self, broker: Broker) -> None:
        inbox = Inbox(acknowledge)
        broker.subscribe(GPU, inbox, prefetch=1)
        sent = Message(
            type="hrnn_tuner.v1.Task",
            body=bytes(range(256)),
            message_id="t-1/1",
            correlation_id="job-1",
            headers={"traceparent": "00-ab", "tracestate": ""},
            persistent=True,
        )
        broker.publish(TASKS_EXCHANGE, "gpu", sent)
        (delivery,) = inbox.wait(1)
        assert delivery.message == sent
        assert not delivery.redelivered
        assert delivery.current

    def test_absent_properties_arrive_as_absent(self, broker: Broker) -> None:
        inbox = Inbox(acknowledge)
        broker.subscribe(GPU, inbox, prefetch=1)
        sent = Message(type="", body=b"", persistent=False)
        broker.publish(TASKS_EXCHANGE, "gpu", sent)
        assert inbox.wait(1)[0].message == sent

    def test_a_message_waits_in_its_queue_until_somebody_subscribes(self, broker: Broker) -> None:
        send(broker, b"early")
        inbox = Inbox(acknowledge)
        broker.subscribe(GPU, inbox, prefetch=1)
        inbox.wait(1)

    def test_a_queue_gets_only_the_messages_of_its_own_key(self, broker: Broker) -> None:
        send(broker, b"for cpu", key="cpu")
        send(broker, b"for gpu", key="gpu")
        wait_depth(broker, GPU, 1)
        wait_depth(broker, tasks_queue("cpu"), 1)

    def test_publishing_where_no_queue_is_bound_is_an_error(self, broker: Broker) -> None:
        with pytest.raises(MessageUnroutable, match="tpu"):
            send(broker, b"x", key="tpu")
        send(broker, b"the link still works")

    def test_publishing_where_no_queue_is_bound_is_no_error_for_a_hint(self, broker: Broker) -> None:
        broker.publish(EVENTS_EXCHANGE, job_key("1"), Message("t", b"", persistent=False), mandatory=False)

    def test_a_full_queue_refuses(self, broker: Broker) -> None:
        with pytest.raises(MessageRefused):
            send(broker, *[b"x"] * (BOUNDED_LENGTH + 5), key="bounded")
        assert broker.depth(BOUNDED) >= BOUNDED_LENGTH
        send(broker, b"the link still works")

    def test_a_refusal_concerns_only_its_own_message(self, broker: Broker) -> None:
        def publish(key: str) -> str:
            try:
                send(broker, b"x", key=key)
            except (MessageRefused, MessageUnroutable) as error:
                return type(error).__name__
            return "confirmed"

        with ThreadPoolExecutor(12) as pool:
            outcomes = {key: list(pool.map(publish, [key] * 20)) for key in ("tpu", "gpu")}
            mixed = list(pool.map(publish, ["gpu", "tpu", "bounded"] * 20))
        assert set(outcomes["tpu"]) == {"MessageUnroutable"}
        assert set(outcomes["gpu"]) == {"confirmed"}
        assert set(mixed[0::3]) == {"confirmed"}
        assert set(mixed[1::3]) == {"MessageUnroutable"}
        assert "MessageRefused" in mixed[2::3]

    def test_several_threads_may_publish_at_once(self, broker: Broker) -> None:
        inbox = Inbox(acknowledge)
        broker.subscribe(GPU, inbox, prefetch=50)
        bodies = [b"%d" % number for number in range(200)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda body: send(broker, body), bodies))
        inbox.wait(200)
        assert sorted(inbox.bodies) == sorted(bodies)

    @pytest.mark.parametrize(
        "message",
        [
            Message("t", bytes(MAX_BODY_BYTES + 1)),
            Message("t" * 256, b""),
            Message("t", b"", message_id="ü" * 128),
            Message("t", b"", correlation_id="c" * 256),
            Message("t", b"", headers={"k" * 256: ""}),
            Message("t", b"", headers={"k": "v" * 70_000}),
        ],
        ids=["body", "type", "message_id", "correlation_id", "header name", "header value"],
    )
    def test_an_oversize_message_is_a_programming_error_and_harms_nobody(
        self, broker: Broker, message: Message
    ) -> None:
        with pytest.raises(ValueError, match="limit"):
            broker.publish(TASKS_EXCHANGE, "gpu", message)
        send(broker, b"the link still works")

    def test_an_oversize_routing_key_is_a_programming_error(self, broker: Broker) -> None:
        with pytest.raises(ValueError, match="routing_key has 300 bytes"):
            send(broker, b"", key="k" * 300)

    def test_a_large_message_arrives_whole(self, broker: Broker) -> None:
        inbox = Inbox(acknowledge)
        broker.subscribe(GPU, inbox, prefetch=1)
        body = bytes(range(256)) * 4096 * 3
        broker.publish(TASKS_EXCHANGE, "gpu", Message("t", body))
        assert inbox.wait(1)[0].message.body == body

    def test_an_unknown_exchange_or_queue_is_a_programming_error(self, broker: Broker) -> None:
        with pytest.raises(ValueError, match="no exchange 'nowhere'"):
            broker.publish("nowhere", "gpu", Message("t", b""))
        with pytest.raises(ValueError, match="no exchange 'nowhere'"):
            broker.subscribe_exclusive("nowhere", ["k"], Inbox())
        with pytest.raises(ValueError, match="no queue 'nowhere'"):
            broker.subscribe("nowhere", Inbox(), prefetch=1)
        with pytest.raises(ValueError, match="no queue 'nowhere'"):
            broker.depth("nowhere")

    def test_depth_counts_ready_messages_only(self, broker: Broker) -> None:
        assert broker.depth(GPU) == 0
        send(broker, b"1", b"2", b"3")
        wait_depth(broker, GPU, 3)
        broker.subscribe(GPU, Inbox(), prefetch=2)
        wait_depth(broker, GPU, 1)

    # Subscriptions

    def test_messages_arrive_in_order(self, broker: Broker) -> None:
        inbox = Inbox(acknowledge)
        broker.subscribe(reports_queue(), inbox, prefetch=10)
        bodies = [b"%d" % number for number in range(100)]
        for body in bodies:
            broker.publish(REPORTS_EXCHANGE, REPORTS_SHARD, Message("t", body))
        inbox.wait(100)
        assert inbox.bodies == bodies

    def test_a_subscriber_never_holds_more_than_its_prefetch(self, broker: Broker) -> None:
        inbox = Inbox()
        broker.subscribe(GPU, inbox, prefetch=3)
        send(broker, *[b"%d" % number for number in range(5)])
        held = inbox.wait(3)
        wait_depth(broker, GPU, 2)
        assert len(inbox) == 3
        held[0].ack()
        inbox.wait(4)
        wait_depth(broker, GPU, 1)

    def test_subscribers_of_one_queue_share_its_messages(self, broker: Broker, other: Broker) -> None:
        inboxes = [Inbox(), Inbox()]
        for link, inbox in zip((broker, other), inboxes, strict=True):
            link.subscribe(GPU, inbox, prefetch=1)
        send(broker, b"1", b"2", b"3")
        for inbox in inboxes:
            inbox.wait(1)
        wait_depth(broker, GPU, 1)

    def test_a_limited_subscriber_holds_nothing_but_its_last_delivery(self, broker: Broker, other: Broker) -> None:
        depths: list[int] = []
        inbox = Inbox(lambda _: depths.append(other.depth(GPU)))
        send(broker, b"1", b"2", b"3")
        wait_depth(broker, GPU, 3)
        broker.subscribe(GPU, inbox, prefetch=1, limit=1)
        (delivery,) = inbox.wait(1)
        wait_until(lambda: depths == [2], message="the others are ready while the handler runs")
        delivery.ack()
        successor = Inbox(acknowledge)
        other.subscribe(GPU, successor, prefetch=1)
        successor.wait(2)
        assert inbox.bodies == [b"1"]
        assert not any(delivery.redelivered for delivery in successor.deliveries)

    def test_a_limit_above_one_is_counted_in_deliveries(self, broker: Broker) -> None:
        inbox = Inbox(acknowledge)
        broker.subscribe(GPU, inbox, prefetch=1, limit=3)
        send(broker, *[b"%d" % number for number in range(5)])
        inbox.wait(3)
        wait_depth(broker, GPU, 2)
        assert inbox.bodies == [b"0", b"1", b"2"]

    def test_a_worker_may_subscribe_anew_for_each_task(self, broker: Broker) -> None:
        send(broker, *[b"%d" % number for number in range(20)])
        for number in range(20):
            inbox = Inbox(acknowledge)
            broker.subscribe(GPU, inbox, prefetch=1, limit=1)
            inbox.wait(1)
            assert inbox.bodies == [b"%d" % number]

    def test_after_cancel_nothing_arrives_and_held_deliveries_can_be_acknowledged(self, broker: Broker) -> None:
        inbox = Inbox()
        subscription = broker.subscribe(GPU, inbox, prefetch=2)
        send(broker, b"held")
        (delivery,) = inbox.wait(1)
        subscription.cancel()
        send(broker, b"later")
        delivery.ack()
        wait_depth(broker, GPU, 1)
        assert inbox.bodies == [b"held"]

    def test_an_acknowledgement_after_cancel_counts(self, broker: Broker, other: Broker) -> None:
        inbox = Inbox()
        subscription = broker.subscribe(GPU, inbox, prefetch=1)
        send(broker, b"held")
        (delivery,) = inbox.wait(1)
        subscription.cancel()
        delivery.ack()
        broker.close()
        send(other, b"marker")
        successor = Inbox(acknowledge)
        other.subscribe(GPU, successor, prefetch=1)
        successor.wait(1)
        assert successor.bodies == [b"marker"]

    def test_cancel_on_the_handlers_own_thread_works(self, broker: Broker) -> None:
        def cancel(delivery: Delivery) -> None:
            subscription.cancel()
            delivery.ack()

        inbox = Inbox(cancel)
        subscription = broker.subscribe(GPU, inbox, prefetch=5)
        send(broker, b"1", b"2", b"3")
        wait_depth(broker, GPU, 2)
        assert inbox.bodies == [b"1"]

    def test_cancel_twice_does_nothing_the_second_time(self, broker: Broker) -> None:
        subscription = broker.subscribe(GPU, Inbox(), prefetch=1)
        subscription.cancel()
        subscription.cancel()

    def test_cancel_gives_back_what_has_not_reached_the_handler(self, broker: Broker, other: Broker) -> None:
        entered, leave = threading.Event(), threading.Event()

        def block(_: Delivery) -> None:
            entered.set()
            assert leave.wait(10)

        inbox = Inbox(block)
        subscription = broker.subscribe(GPU, inbox, prefetch=10)
        send(other, b"1", b"2", b"3")
        assert entered.wait(10)
        wait_depth(other, GPU, 0)
        with ThreadPoolExecutor(1) as pool:
            cancelled = pool.submit(subscription.cancel)
            leave.set()
            cancelled.result(10)
        seen = len(inbox)
        wait_depth(other, GPU, 3 - seen)
        assert len(inbox) == seen

    def test_a_single_active_consumer_is_followed_by_the_next_when_it_goes(self, broker: Broker, other: Broker) -> None:
        first, second = Inbox(acknowledge), Inbox(acknowledge)
        broker.subscribe(reports_queue(), first, prefetch=10)
        other.subscribe(reports_queue(), second, prefetch=10)
        for number in range(20):
            other.publish(REPORTS_EXCHANGE, REPORTS_SHARD, Message("t", b"%d" % number))
        first.wait(20)
        assert len(second) == 0
        broker.close()
        other.publish(REPORTS_EXCHANGE, REPORTS_SHARD, Message("t", b"after"))
        second.wait(1)
        assert second.bodies == [b"after"]

    # Settling

    def test_any_thread_may_acknowledge(self, broker: Broker) -> None:
        inbox = Inbox()
        broker.subscribe(GPU, inbox, prefetch=1)
        send(broker, b"1", b"2")
        thread = threading.Thread(target=inbox.wait(1)[0].ack)
        thread.start()
        thread.join(10)
        inbox.wait(2)

    def test_settling_twice_does_nothing_the_second_time(self, broker: Broker) -> None:
        inbox = Inbox(acknowledge)
        broker.subscribe(GPU, inbox, prefetch=1)
        send(broker, b"1")
        (delivery,) = inbox.wait(1)
        delivery.ack()
        delivery.reject(requeue=False)
        send(broker, b"2")
        assert not inbox.wait(2)[1].redelivered
        assert broker.depth(DEAD_QUEUE) == 0

    def test_a_requeued_message_is_delivered_again(self, broker: Broker) -> None:
        inbox = Inbox()
        broker.subscribe(GPU, inbox, prefetch=1)
        send(broker, b"1", b"2")
        inbox.wait(1)[0].reject(requeue=True)
        again = inbox.wait(2)[1]
        assert again.message.body == b"1"
        assert again.redelivered

    def test_a_rejected_message_goes_to_the_dead_letters(self, broker: Broker) -> None:
        inbox, dead = Inbox(), Inbox(acknowledge)
        broker.subscribe(GPU, inbox, prefetch=1)
        broker.subscribe(DEAD_QUEUE, dead, prefetch=1)
        sent = Message("t", b"poison", message_id="m", correlation_id="c", headers={"traceparent": "00"})
        broker.publish(TASKS_EXCHANGE, "gpu", sent)
        inbox.wait(1)[0].reject(requeue=False)
        assert dead.wait(1)[0].message == sent

    def test_a_message_beyond_its_delivery_limit_goes_to_the_dead_letters(self, broker: Broker) -> None:
        inbox = Inbox(lambda delivery: delivery.reject(requeue=True))
        dead = Inbox(acknowledge)
        broker.subscribe(DEAD_QUEUE, dead, prefetch=1)
        broker.subscribe(GPU, inbox, prefetch=1)
        send(broker, b"poison")
        dead.wait(1)
        assert dead.bodies == [b"poison"]
        assert len(inbox) == TASK_DELIVERY_LIMIT + 1  # as RabbitMQ counts: the limit is on deliveries after the first

    def test_a_handler_that_fails_rejects_its_delivery_and_gets_the_next(self, broker: Broker) -> None:
        def fail_once(delivery: Delivery) -> None:
            if delivery.message.body == b"poison":
                raise RuntimeError("a bug in the handler")
            delivery.ack()

        inbox, dead = Inbox(fail_once), Inbox(acknowledge)
        broker.subscribe(DEAD_QUEUE, dead, prefetch=1)
        broker.subscribe(GPU, inbox, prefetch=1)
        send(broker, b"poison", b"good")
        inbox.wait(2)
        dead.wait(1)
        assert inbox.bodies == [b"poison", b"good"]
        assert dead.bodies == [b"poison"]

    # Exclusive subscriptions

    def test_an_exclusive_subscription_receives_by_each_of_its_keys(self, broker: Broker, other: Broker) -> None:
        inbox = Inbox()
        broker.subscribe_exclusive(CONTROL_EXCHANGE, [worker_key("a"), "training.7.1"], inbox)
        for key in (worker_key("a"), "training.7.1"):
            other.publish(CONTROL_EXCHANGE, key, Message("t", key.encode(), persistent=False))
        inbox.wait(2)
        assert inbox.bodies == [b"worker.a", b"training.7.1"]

    def test_every_exclusive_subscription_gets_its_own_copy(self, broker: Broker, other: Broker) -> None:
        inboxes = [Inbox(), Inbox()]
        for link, inbox in zip((broker, other), inboxes, strict=True):
            link.subscribe_exclusive(EVENTS_EXCHANGE, ["job.#"], inbox)
        broker.publish(EVENTS_EXCHANGE, job_key("1"), Message("t", b"hint", persistent=False))
        for inbox in inboxes:
            inbox.wait(1)

    def test_a_topic_pattern_selects_by_words(self, broker: Broker) -> None:
        everything, one = Inbox(), Inbox()
        broker.subscribe_exclusive(EVENTS_EXCHANGE, ["job.#"], everything)
        broker.subscribe_exclusive(EVENTS_EXCHANGE, [job_key("2")], one)
        for key in ("job.1", "job.2", "job.2.x", "other.2"):
            broker.publish(EVENTS_EXCHANGE, key, Message("t", key.encode(), persistent=False), mandatory=False)
        everything.wait(3)
        one.wait(1)
        assert everything.bodies == [b"job.1", b"job.2", b"job.2.x"]
        assert one.bodies == [b"job.2"]

    def test_exclusive_deliveries_need_no_acknowledgement(self, broker: Broker) -> None:
        inbox = Inbox(acknowledge)
        broker.subscribe_exclusive(CONTROL_EXCHANGE, [worker_key("a")], inbox)
        for number in range(50):
            broker.publish(CONTROL_EXCHANGE, worker_key("a"), Message("t", b"%d" % number, persistent=False))
        inbox.wait(50)
        inbox.deliveries[0].reject(requeue=True)
        broker.publish(CONTROL_EXCHANGE, worker_key("a"), Message("t", b"last", persistent=False))
        assert inbox.wait(51)[50].message.body == b"last"

    @pytest.mark.parametrize("end", ["cancel", "close"])
    def test_a_message_for_an_exclusive_receiver_that_has_gone_is_unroutable(
        self, broker: Broker, other: Broker, end: str
    ) -> None:
        subscription = broker.subscribe_exclusive(CONTROL_EXCHANGE, [worker_key("a")], Inbox())
        subscription.cancel() if end == "cancel" else broker.close()

        def gone() -> bool:
            try:
                other.publish(CONTROL_EXCHANGE, worker_key("a"), Message("t", b"STOP", persistent=False))
            except MessageUnroutable:
                return True
            return False

        wait_until(gone, message="the queue goes with its receiver")

    # Links

    def test_handlers_of_a_link_run_one_at_a_time_on_one_thread(self, broker: Broker) -> None:
        running: list[int] = []

        def check(delivery: Delivery) -> None:
            running.append(1)
            assert len(running) == 1
            running.pop()
            delivery.ack()

        inbox, dead = Inbox(check), Inbox(acknowledge)
        broker.subscribe(GPU, inbox, prefetch=5)
        broker.subscribe(tasks_queue("cpu"), inbox, prefetch=5)
        broker.subscribe(DEAD_QUEUE, dead, prefetch=5)
        for _ in range(20):
            send(broker, b"x", key="gpu")
            send(broker, b"x", key="cpu")
        inbox.wait(40)
        assert len(inbox.threads) == 1
        assert broker.depth(DEAD_QUEUE) == len(dead) == 0

    def test_a_handler_may_publish_and_subscribe(self, broker: Broker) -> None:
        answers = Inbox(acknowledge)

        def answer(delivery: Delivery) -> None:
            broker.subscribe(tasks_queue("cpu"), answers, prefetch=1)
            send(broker, b"answer", key="cpu")
            delivery.ack()

        broker.subscribe(GPU, Inbox(answer), prefetch=1)
        send(broker, b"question")
        answers.wait(1)

    def test_close_gives_back_what_was_not_acknowledged(self, broker: Broker, other: Broker) -> None:
        inbox = Inbox()
        broker.subscribe(GPU, inbox, prefetch=5)
        send(broker, b"1", b"2", b"3")
        held = inbox.wait(3)
        held[0].ack()
        broker.close()
        assert not held[1].current
        held[1].ack()  # too late: does nothing
        successor = Inbox(acknowledge)
        other.subscribe(GPU, successor, prefetch=5)
        successor.wait(2)
        assert sorted(successor.bodies) == [b"2", b"3"]
        assert all(delivery.redelivered for delivery in successor.deliveries)

    def test_close_twice_does_nothing_the_second_time(self, broker: Broker) -> None:
        assert broker.connected
        broker.close()
        broker.close()
        assert not broker.connected

    def test_a_closed_link_is_unavailable(self, broker: Broker) -> None:
        subscription = broker.subscribe(GPU, Inbox(), prefetch=1)
        broker.close()
        subscription.cancel()
        with pytest.raises(BrokerUnavailable, match="closed"):
            send(broker, b"x")
        with pytest.raises(BrokerUnavailable, match="closed"):
            broker.subscribe(GPU, Inbox(), prefetch=1)
        with pytest.raises(BrokerUnavailable, match="closed"):
            broker.depth(GPU)

    def test_close_leaves_no_thread(self, connect: Connect) -> None:
        def threads() -> list[threading.Thread]:
            return [thread for thread in threading.enumerate() if "short-lived" in thread.name]

        with connect("short-lived") as broker:
            broker.subscribe(GPU, Inbox(), prefetch=1)
            assert threads()
        assert not threads()

    def test_close_on_the_handlers_own_thread_works(self, broker: Broker, other: Broker) -> None:
        closed = threading.Event()

        def close(_: Delivery) -> None:
            broker.close()
            closed.set()

        broker.subscribe(GPU, Inbox(close), prefetch=1)
        send(other, b"last")
        assert closed.wait(10)
        wait_depth(other, GPU, 1)
