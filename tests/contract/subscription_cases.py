"""Part of the broker contract: who receives what, and for how long."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hrnn_tuner.broker import Broker, Delivery, Message, MessageRefused, MessageUnroutable
from hrnn_tuner.broker.topology import (
    CONTROL_EXCHANGE,
    EVENTS_EXCHANGE,
    REPORTS_EXCHANGE,
    REPORTS_SHARD,
    job_key,
    reports_queue,
    worker_key,
)
from tests.contract.broker_cases import GPU, BrokerCases, send, wait_depth
from tests.support.inbox import Inbox, acknowledge
from tests.support.waiting import wait_until


class SubscriptionCases(BrokerCases):
    """Shared queues and exclusive ones."""

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
            except MessageRefused:  # RabbitMQ 4.3 while the queue is going
                pass
            return False

        wait_until(gone, message="the queue goes with its receiver")
