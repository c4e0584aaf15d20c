"""A TCP proxy that makes the trouble that networks make: latency, silence, a cut."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

_CHUNK = 65_536
_CALL_TIMEOUT_S = 10.0


class Proxy:
    """One listener in front of one server; its fields belong to the loop of `Proxies`."""

    def __init__(self, upstream_port: int) -> None:
        self.port = 0
        self._upstream_port = upstream_port
        self._latency_s = 0.0
        self._refusing = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._near: set[asyncio.StreamWriter] = set()
        self._far: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def heal(self) -> None:
        """Passes everything on at once again; connections of a half-open time are reset."""
        self._latency_s, self._refusing = 0.0, False
        self._flowing.set()

    async def delay(self, seconds: float) -> None:
        """Holds each piece of data for a while, in both directions."""
        self._latency_s = seconds

    async def half_open(self) -> None:
        """The server loses its clients; they hear nothing of it, nor anything else, until `heal`."""
        self._flowing.clear()
        _abort(self._far)

    async def cut(self) -> None:
        """Resets all connections, and each new one, until `heal`."""
        self._refusing = True
        _abort(self._near | self._far)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._near.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            await self._flowing.wait()
            if self._refusing:
                return
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._upstream_port)
            self._far.add(far)
            pumps = [
                asyncio.ensure_future(self._pump(reader, far)),
                asyncio.ensure_future(self._pump(far_reader, writer)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                await self._flowing.wait()
            finally:
                for pump in pumps:
                    pump.cancel()
        except (OSError, asyncio.CancelledError):
            return  # the server is away, or all is over: so is the client's connection
        finally:
            self._near.discard(writer)
            writer.transport.abort()
            if far is not None:
                self._far.discard(far)
                far.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(_CHUNK):
                if self._latency_s:
                    await asyncio.sleep(self._latency_s)
                await self._flowing.wait()
                sink.write(data)
                await sink.drain()


def _abort(writers: set[asyncio.StreamWriter]) -> None:
    for writer in writers:
        writer.transport.abort()


class Proxies:
    """The loop, on a thread of its own, and its proxies."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chaos-proxies", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(_end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_TIMEOUT_S)
        self._loop.close()

    def add(self, upstream_port: int) -> Proxy:
        """Listens on a free port for a server on this host."""

        async def make() -> Proxy:
            proxy = Proxy(upstream_port)
            await proxy.listen()
            return proxy

        made: Proxy = self._call(make())
        return made

    def run(self, change: Coroutine[Any, Any, None]) -> None:
        """Makes a change to a proxy; returns when it is made."""
        self._call(change)

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_TIMEOUT_S)


async def _end_tasks() -> None:
    """Ends every connection; what listens ends with the loop."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)  # the transports that the tasks aborted call back once more
