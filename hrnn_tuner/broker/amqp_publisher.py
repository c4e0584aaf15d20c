"""Confirmed publishing over one channel, with many messages on their way at a time."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from hrnn_tuner.broker.amqp_pika import Channel, publish_number, raw_channel, reply_of, to_properties
from hrnn_tuner.broker.contract import BrokerUnavailable, Letter, MessageRefused, MessageUnroutable


class ConfirmingChannel:
    """Matches the broker's confirms, refusals and returns to the messages they are about.

    It belongs to its connection's thread; only the futures leave it.

    Args:
        channel: A fresh channel that nothing else uses.
    """

    def __init__(self, channel: Channel) -> None:
        self._raw = raw_channel(channel)
        self._sent = 0
        self._waiting: dict[int, Future[None]] = {}  # in the order of publishing
        self._raw.add_on_return_callback(self._on_return)
        self._raw.confirm_delivery(self._on_confirm)

    def publish(self, letter: Letter, outcome: Future[None]) -> None:
        """Sends the message; ``outcome`` is resolved when the broker has answered, or by `fail_all`."""
        if outcome.done():  # its publisher has stopped waiting
            return
        number = self._sent + 1
        properties = to_properties(letter.message, number)
        self._raw.basic_publish(letter.exchange, letter.routing_key, letter.message.body, properties, letter.mandatory)
        self._sent = number
        self._waiting[number] = outcome

    def fail_all(self, reason: str) -> None:
        """Ends every wait: these messages may or may not have arrived."""
        waiting, self._waiting = self._waiting, {}
        for outcome in waiting.values():
            _resolve(outcome, BrokerUnavailable(reason))

    def _on_return(self, _channel: Any, method: Any, properties: Any, _body: bytes) -> None:
        number = publish_number(properties)
        outcome = None if number is None else self._waiting.pop(number, None)
        if outcome is not None:
            code, text = reply_of(method)
            where = f"exchange {method.exchange!r}, routing key {method.routing_key!r}"
            _resolve(outcome, MessageUnroutable(f"{where}: {code} {text}"))

    def _on_confirm(self, frame: Any) -> None:
        number = int(frame.method.delivery_tag)
        refused = frame.method.NAME == "Basic.Nack"
        numbers = [waiting for waiting in self._waiting if waiting <= number] if frame.method.multiple else [number]
        for settled in numbers:
            outcome = self._waiting.pop(settled, None)
            if outcome is not None:  # else it was returned before
                _resolve(
                    outcome,
                    MessageRefused("the broker refused the message (a queue is full, or cannot store it)")
                    if refused
                    else None,
                )


def _resolve(outcome: Future[None], error: Exception | None) -> None:
    if not outcome.set_running_or_notify_cancel():
        return
    if error is None:
        outcome.set_result(None)
    else:
        outcome.set_exception(error)
