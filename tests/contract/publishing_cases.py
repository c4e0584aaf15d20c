"""Part of the broker contract: what `publish` promises."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from hrnn_tuner.broker import Broker, Letter, Message, MessageRefused, MessageUnroutable
from hrnn_tuner.broker.limits import MAX_BODY_BYTES
from hrnn_tuner.broker.topology import (
    EVENTS_EXCHANGE,
    TASKS_EXCHANGE,
    job_key,
    tasks_queue,
)
from tests.contract.broker_cases import BOUNDED, BOUNDED_LENGTH, GPU, BrokerCases, send, wait_depth
from tests.support.inbox import Inbox, acknowledge


class PublishingCases(BrokerCases):
    """Confirmation, routing, refusal, and limits on messages."""

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

    def test_messages_that_are_published_together_arrive_in_their_order(self, broker: Broker) -> None:
        inbox = Inbox(acknowledge)
        broker.subscribe(GPU, inbox, prefetch=50)
        bodies = [b"%d" % number for number in range(200)]
        letters = [Letter(TASKS_EXCHANGE, "gpu", Message("t", body)) for body in bodies]
        assert broker.publish_all(letters) == [None] * 200
        inbox.wait(200)
        assert inbox.bodies == bodies

    def test_of_messages_that_are_published_together_each_has_an_outcome_of_its_own(self, broker: Broker) -> None:
        with pytest.raises(MessageRefused):  # RabbitMQ notices a moment later that the queue is full
            send(broker, *[b"x"] * (BOUNDED_LENGTH + 5), key="bounded")
        keys = ["gpu", "tpu", "bounded", "bounded", "tpu", "gpu"]
        hint = Letter(EVENTS_EXCHANGE, job_key("1"), Message("t", b"", persistent=False), mandatory=False)
        letters = [*(Letter(TASKS_EXCHANGE, key, Message("t", b"x")) for key in keys), hint]
        outcomes = broker.publish_all(letters)
        refused, lost = MessageRefused, MessageUnroutable
        expected = [type(None), lost, refused, refused, lost, type(None), type(None)]
        assert [type(outcome) for outcome in outcomes] == expected
        assert broker.publish_all([]) == []

    def test_an_oversize_message_among_others_is_a_programming_error(self, broker: Broker) -> None:
        letters = [Letter(TASKS_EXCHANGE, "cpu", Message("t", bytes(size))) for size in (1, MAX_BODY_BYTES + 1)]
        with pytest.raises(ValueError, match="body has"):
            broker.publish_all(letters)

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
