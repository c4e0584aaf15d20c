from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.chaos.proxy import Proxies, Proxy

PATIENCE_S = 5.0


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A server that sends everything back."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection:
                try:
                    while data := connection.recv(1024):
                        connection.sendall(data)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@pytest.fixture
def proxies() -> Iterator[Proxies]:
    with Proxies() as running:
        yield running


@pytest.fixture
def proxy(proxies: Proxies, echo_port: int) -> Proxy:
    return proxies.add(echo_port)


def connect(proxy: Proxy) -> closing[socket.socket]:
    connection = socket.create_connection(("127.0.0.1", proxy.port), PATIENCE_S)
    connection.settimeout(PATIENCE_S)
    return closing(connection)


def test_everything_passes_both_ways(proxy: Proxy) -> None:
    with connect(proxy) as connection:
        connection.sendall(b"hello")
        assert connection.recv(5) == b"hello"


def test_latency_counts_in_both_directions(proxies: Proxies, proxy: Proxy) -> None:
    with connect(proxy) as connection:
        proxies.run(proxy.delay(0.1))
        began = time.monotonic()
        connection.sendall(b"hello")
        assert connection.recv(5) == b"hello"
        assert time.monotonic() - began >= 0.2


def test_a_cut_ends_connections_and_refuses_new_ones_until_it_is_healed(proxies: Proxies, proxy: Proxy) -> None:
    with connect(proxy) as connection:
        proxies.run(proxy.cut())
        assert ended(connection)
    with connect(proxy) as connection:
        assert ended(connection)
    proxies.run(proxy.heal())
    with connect(proxy) as connection:
        connection.sendall(b"again")
        assert connection.recv(5) == b"again"


def test_half_open_is_silence_and_then_the_end_of_the_connection(proxies: Proxies, proxy: Proxy) -> None:
    with connect(proxy) as connection:
        connection.sendall(b"hello")
        assert connection.recv(5) == b"hello"
        proxies.run(proxy.half_open())
        connection.sendall(b"lost")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(PATIENCE_S)
        proxies.run(proxy.heal())
        assert ended(connection)


def ended(connection: socket.socket) -> bool:
    """Whether the other side ends the connection, in order or not."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
