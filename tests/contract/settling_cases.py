"""Part of the broker contract: acknowledging, rejecting, and the end of a link."""

import threading

import pytest

from hrnn_tuner.broker import Broker, BrokerUnavailable, Delivery, Message
from hrnn_tuner.broker.topology import (
    DEAD_QUEUE,
    REPORTS_EXCHANGE,
    REPORTS_SHARD,
    TASK_DELIVERY_LIMIT,
    TASKS_EXCHANGE,
    reports_queue,
    tasks_queue,
)
from tests.contract.broker_cases import GPU, BrokerCases, Connect, send, wait_depth
from tests.support.inbox import Inbox, acknowledge


class SettlingCases(BrokerCases):
    """What becomes of deliveries, and what closing a link leaves behind."""

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

    def test_what_a_cancelled_subscription_gives_back_comes_to_its_successor_before_what_is_later(
        self, broker: Broker, connect: Connect
    ) -> None:
        leaving, staying = Inbox(), Inbox(acknowledge)
        subscription = broker.subscribe(reports_queue(), leaving, prefetch=2)
        connect("second").subscribe(reports_queue(), staying, prefetch=8)  # the queue has one active consumer
        for body in (b"1", b"2", b"3", b"4"):
            broker.publish(REPORTS_EXCHANGE, REPORTS_SHARD, Message("t", body))
        first, second = leaving.wait(2)
        subscription.cancel(give_back=True)
        staying.wait(4)
        assert staying.bodies == [b"1", b"2", b"3", b"4"]
        assert not first.current
        second.ack()  # too late, and harmless
        broker.publish(REPORTS_EXCHANGE, REPORTS_SHARD, Message("t", b"5"))
        assert staying.wait(5)[-1].message.body == b"5"

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
