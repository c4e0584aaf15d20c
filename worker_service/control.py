"""Takes the scheduler's commands and hands them to the attempts they are about."""

from __future__ import annotations

import structlog

from hrnn_tuner.broker.contract import Broker, Delivery, Subscription
from hrnn_tuner.broker.topology import CONTROL_EXCHANGE, worker_key
from worker_service.attempt import Attempts
from worker_service.convert import Command, parse_control

_log = structlog.get_logger(__name__)

_CANCEL_TIMEOUT_S = 1.0


class ControlListener:
    """Subscribes to this worker's control queue. Commands for unknown attempts are over or come again: ignored."""

    def __init__(self, broker: Broker, worker_id: str, attempts: Attempts) -> None:
        """Subscribes nothing yet."""
        self._broker = broker
        self._worker_id = worker_id
        self._attempts = attempts
        self._subscription: Subscription | None = None

    def start(self) -> None:
        """Subscribes; must come before the first task is taken."""
        keys = [worker_key(self._worker_id)]
        self._subscription = self._broker.subscribe_exclusive(CONTROL_EXCHANGE, keys, self._handle)

    def stop(self) -> None:
        """Ends the subscription."""
        if self._subscription is not None:
            self._subscription.cancel(timeout_s=_CANCEL_TIMEOUT_S)
            self._subscription = None

    def _handle(self, delivery: Delivery) -> None:
        parsed = parse_control(delivery.message)
        if parsed is None:
            _log.warning("control message ignored", type=delivery.message.type)
            return
        attempt = self._attempts.find(parsed.key)
        if attempt is None:
            return
        match parsed.command:
            case Command.COMMAND_GO:
                attempt.go = True
            case Command.COMMAND_STOP:
                attempt.stop = True
            case Command.COMMAND_STOP_AND_KEEP:
                attempt.stop_and_keep = True
            case Command.COMMAND_SUPERSEDED:
                attempt.superseded = True
            case Command.COMMAND_CHECKPOINT_RECORDED:
                attempt.recorded_step = max(attempt.recorded_step, parsed.step)
        attempt.wake()
