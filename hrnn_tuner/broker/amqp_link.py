"""One connection to RabbitMQ, owned by one thread.

pika's connections belong to one thread. Others hand this thread closures and get futures; it keeps heartbeats going,
reconnects with jittered back-off, and numbers its connections, so that nothing of an older one is used on a newer one.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

import structlog

from hrnn_tuner.broker.amqp_pika import (
    AMQPError,
    Channel,
    Connection,
    answered_within,
    open_connection,
    parse_url,
    sever,
)
from hrnn_tuner.broker.contract import BrokerUnavailable

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 3.0
#: Only a safety net: closures, deliveries and confirms wake the thread at once.
PUMP_S = 2.0
CLOSE_TIMEOUT_S = 15.0
#: Far more than a busy broker takes, even one that recovers its queues.
ANSWER_TIMEOUT_S = 30.0


class TopologyMismatch(Exception):
    """The broker has a queue or exchange with other properties, or forbids its declaration: no retry can help."""


class LinkLost(Exception):
    """The connection has to be given up: a channel or consumer of it ended without our doing."""


class LinkUser(Protocol):
    """What a link serves. Both methods are called on the link's thread and may use the connection until they return."""

    def on_connected(self, connection: Connection) -> None:
        """Sets up a new connection.

        Raises:
            TopologyMismatch: When the broker's objects do not fit; the link reports it in `AmqpLink.fatal`.
        """

    def on_lost(self) -> None:
        """Forgets all that belonged to the connection."""


class AmqpLink:
    """A connection that is re-made for as long as the link is open.

    Every method may be called from any thread, unless it says otherwise.

    Args:
        url: ``amqp://`` or ``amqps://``.
        name: Connection name in RabbitMQ; also the thread's name.
        user: Called on each connection's start and end.

    Raises:
        ValueError: When the URL makes no sense.
    """

    def __init__(self, url: str, name: str, user: LinkUser) -> None:
        self.name = name
        self.fatal: TopologyMismatch | None = None
        self._parameters = parse_url(url, name)
        self._user = user
        self._state = threading.Condition()
        self._calls: deque[_Call] = deque()
        self._connection: Connection | None = (
            None  #: accepts calls; set before `on_connected`, cleared before `on_lost`
        )
        self._ready = False
        self._generation = 0
        self._last_error = "not connected yet"
        self._watched: list[Channel] = []  # the link's thread only
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"amqp-{name}", daemon=True)

    def start(self) -> None:
        """Starts the thread; call it once."""
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether there is a live connection that has been set up."""
        return self._ready

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._stop.is_set()

    @property
    def generation(self) -> int:
        """Number of the newest connection."""
        return self._generation

    @property
    def on_own_thread(self) -> bool:
        """Whether the caller runs on the link's thread."""
        return threading.current_thread() is self._thread

    def is_current(self, generation: int) -> bool:
        """Whether this connection is the live one."""
        return self._connection is not None and self._generation == generation

    def wait_ready(self, timeout_s: float) -> bool:
        """Waits for a connection; False when there is none in time, or never will be (closed, or `fatal`)."""
        if self._ready:
            return True
        with self._state:
            self._state.wait_for(lambda: self._ready or self.fatal or self._stop.is_set(), max(0.0, timeout_s))
            return self._ready

    def describe(self) -> str:
        """Why there is no connection, for error texts."""
        return f"no connection to RabbitMQ ({self.name}): {'closed' if self._stop.is_set() else self._last_error}"

    def call(self, action: Callable[[Connection], _T]) -> Future[_T]:
        """Runs the action on the link's thread; at once when called there.

        The future fails with BrokerUnavailable when there is no connection or it ends first. An action that waits for
        the link itself would wait for ever.
        """
        future: Future[_T] = Future()

        def run(connection: Connection) -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(action(connection))
            except (AMQPError, OSError) as error:
                # whether the link has to reconnect, its loop sees for itself
                future.set_exception(BrokerUnavailable(f"{self.name}: {error!r}"))
            except Exception as error:  # noqa: BLE001 - belongs to the caller, who reads it from the future
                future.set_exception(error)

        connection = self._connection
        if self.on_own_thread and connection is not None:
            run(connection)
        elif not self._enqueue(run, None, future):
            future.set_exception(BrokerUnavailable(self.describe()))
        return future

    def post(self, action: Callable[[Connection], None], generation: int) -> None:
        """Runs the action on the link's thread soon, if that connection still lives; nobody waits for it."""
        self._enqueue(action, generation, None)

    def _enqueue(self, run: Callable[[Connection], None], generation: int | None, future: Future[Any] | None) -> bool:
        with self._state:
            connection = self._connection
            if connection is None or generation not in (None, self._generation):
                return False
            awake = bool(self._calls)
            self._calls.append(_Call(run, future))
        if not awake:
            _wake(connection)
        return True

    def open_channel(self, connection: Connection) -> Channel:
        """Opens a channel whose unexpected end makes the link reconnect. On the link's thread."""
        channel = connection.channel()
        self._watched.append(channel)
        return channel

    def close_channel(self, channel: Channel) -> None:
        """Closes a channel of `open_channel`. On the link's thread, outside the channel's own callbacks."""
        if channel in self._watched:
            self._watched.remove(channel)
        if channel.is_open:
            channel.close()

    def close(self) -> None:
        """Runs the calls made before it, closes the connection and joins the thread. Idempotent.

        A connection that is still being set up is given up: its broker may never answer.
        """
        self._stop.set()
        with self._state:
            connection, ready = self._connection, self._ready
            self._state.notify_all()
        if connection is not None:
            _wake(connection) if ready or self.on_own_thread else _sever(connection)
        if self._thread.ident is not None and not self.on_own_thread:
            self._thread.join(CLOSE_TIMEOUT_S)
            if self._thread.is_alive():
                _log.error("link did not stop in time", link=self.name, timeout_s=CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        attempt = 0
        while not self._stop.is_set():
            started = time.monotonic()
            try:
                self._hold_connection()
                return
            except TopologyMismatch as error:
                self._note(repr(error), error)
                _log.error("topology mismatch", link=self.name, error=str(error))
            except (AMQPError, OSError, LinkLost) as error:
                self._note(repr(error), None)
                _log.warning("connection lost", link=self.name, error=repr(error), attempt=attempt)
            except Exception as error:  # noqa: BLE001 - a bug, here or in pika: a dead thread would make the process deaf
                self._note(repr(error), None)
                _log.exception("link failed", link=self.name)
            attempt = 0 if time.monotonic() - started > BACKOFF_MAX_S else attempt + 1
            self._stop.wait(random.uniform(0.0, min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2**attempt)))

    def _note(self, text: str, fatal: TopologyMismatch | None) -> None:
        with self._state:
            self._last_error, self.fatal = text, fatal
            self._state.notify_all()

    def _hold_connection(self) -> None:
        connection = open_connection(self._parameters)
        try:
            with self._state:
                self._generation += 1
                self._connection = connection
            with answered_within(connection, ANSWER_TIMEOUT_S):
                self._user.on_connected(connection)
            with self._state:
                self._ready, self.fatal = True, None
                self._state.notify_all()
            _log.info("connected", link=self.name, generation=self._generation)
            while not self._stop.is_set():
                more = self._run_calls(connection)
                self._check_channels()
                connection.process_data_events(time_limit=0.0 if more else PUMP_S)
            self._run_calls(connection)  # an ack just before `close` still counts
        finally:
            self._drop(connection)

    def _run_calls(self, connection: Connection) -> bool:
        """Runs the calls that wait now; tells whether more have come, which did not wake the thread."""
        waiting = len(self._calls)
        if waiting:
            with answered_within(connection, ANSWER_TIMEOUT_S):
                for _ in range(waiting):
                    with self._state:
                        call = self._calls.popleft()
                    call(connection)
        return bool(self._calls)

    def _check_channels(self) -> None:
        if not all(channel.is_open for channel in self._watched):
            raise LinkLost("the broker closed a channel")

    def _drop(self, connection: Connection) -> None:
        with self._state:
            self._connection, self._ready = None, False
            calls = list(self._calls)
            self._calls.clear()
        self._watched.clear()
        for call in calls:
            call.fail(BrokerUnavailable(f"{self.name}: connection lost"))
        self._user.on_lost()
        try:
            if connection.is_open:
                with answered_within(connection, ANSWER_TIMEOUT_S):
                    connection.close()
        except Exception as error:  # noqa: BLE001 - it is given up in any case; the broker notices by the socket
            _log.debug("close failed", link=self.name, error=repr(error))


class _Call:
    """A closure on its way to the link's thread."""

    def __init__(self, run: Callable[[Connection], None], future: Future[Any] | None) -> None:
        self._run = run
        self._future = future

    def __call__(self, connection: Connection) -> None:
        self._run(connection)

    def fail(self, error: Exception) -> None:
        if self._future is not None and self._future.set_running_or_notify_cancel():
            self._future.set_exception(error)


def _wake(connection: Connection) -> None:
    try:
        connection.add_callback_threadsafe(_nothing)
    except AMQPError as error:  # closing: the link's thread is awake and fails the calls itself
        _log.debug("wake-up of a closing connection", error=repr(error))


def _sever(connection: Connection) -> None:
    try:
        sever(connection)
    except OSError as error:  # its end is known already
        _log.debug("severing a connection that has ended", error=repr(error))


def _nothing() -> None:
    """Ends `process_data_events`."""
