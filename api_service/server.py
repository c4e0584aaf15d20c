"""The gRPC server: options, health, reflection, drain."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from api_service.access import AccessInterceptor, Authenticator, RateLimiter
from api_service.explaining import Explanations
from api_service.hints import JobHints
from api_service.interceptor import ErrorInterceptor
from api_service.listening import authenticates, listen
from api_service.request_telemetry import TelemetryInterceptor
from api_service.servicer import TuningServicer
from api_service.training_jobs import TrainingJobs
from api_service.tuning_jobs import TuningJobs
from api_service.version import VersionInterceptor
from api_service.watch_places import WatchPlaces
from api_service.watching import HEARTBEAT_S, Watcher
from hrnn_tuner.algorithms import AlgorithmRegistry
from hrnn_tuner.broker import Broker
from hrnn_tuner.domain.clock import Clock, utc_now
from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.settings import Settings
from hrnn_tuner.store import Store
from hrnn_tuner.store.engine import POOL_SIZE
from hrnn_tuner.v1 import tuning_service_pb2, tuning_service_pb2_grpc

_LOG = structlog.get_logger(__name__)

Result = TypeVar("Result")

SERVICE = tuning_service_pb2.DESCRIPTOR.services_by_name["TuningService"].full_name
DRAIN_GRACE_S = 20.0
#: Creations that are checked at a time. Looking at data in an object store can take long, so it has threads of its own.
CREATE_THREADS = 4
READINESS_INTERVAL_S = 2.0
#: Calls at a time beside Watch streams; further ones are refused before anything of them is read.
MAX_OTHER_CALLS = 1000
_OPTIONS = (
    ("grpc.so_reuseport", 0),  # two servers on one port must fail, not share it silently
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    ("grpc.max_concurrent_streams", 1024),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
    ("grpc.server_handshake_timeout_ms", 10_000),  # connections that say nothing
    ("grpc.max_allowed_incoming_connections", 4096),
    # gRPC cancels what waits beyond these without a status, by default from 1000 calls and 30 s on. So many, and for so
    # long, get an answer of ours.
    ("grpc.server_max_unrequested_time_in_server", 300),
    ("grpc.server.max_pending_requests", 16_384),
    ("grpc.server.max_pending_requests_hard_limit", 16_384),
    # A message of a few KiB may unpack to gigabytes; the limit above counts what was sent. Only "identity" is accepted.
    ("grpc.compression_enabled_algorithms_bitset", 1),
    # Clients connect anew now and then, so that new replicas get their share; streams on the old connection go on.
    ("grpc.max_connection_age_ms", 30 * 60 * 1000),
)


class ApiServer:
    """One replica of the API, on the loop that starts it."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        broker: Broker,
        algorithms: AlgorithmRegistry,
        *,
        clock: Clock = utc_now,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        """Takes what it works with; the caller closes store and broker after `stop`."""
        self._settings = settings
        self._store = store
        self._executor = ThreadPoolExecutor(POOL_SIZE, thread_name_prefix="api-database")
        self._creators = ThreadPoolExecutor(CREATE_THREADS, thread_name_prefix="api-create")
        self._explainers = ThreadPoolExecutor(1, thread_name_prefix="api-explain")  # they compute: one core at a time
        self.hints = JobHints(broker, self._executor)
        places = WatchPlaces(settings.max_watch_streams_per_project, settings.max_watch_streams)
        self._watcher = Watcher(store, self.hints, self._blocking, clock, places, heartbeat_s=heartbeat_s)
        self._health = HealthServicer()
        authenticator = Authenticator(store, self._blocking, clock, required=authenticates(settings))
        access = AccessInterceptor(authenticator, RateLimiter(settings.rate_limit_per_s, settings.rate_limit_burst))
        self._server = grpc.aio.server(
            interceptors=[TelemetryInterceptor(), VersionInterceptor(), ErrorInterceptor(), access],
            options=_OPTIONS,
            maximum_concurrent_rpcs=settings.max_watch_streams + MAX_OTHER_CALLS,
        )
        servicer = TuningServicer(
            tuning_jobs=TuningJobs(store, algorithms, settings, clock),
            training_jobs=TrainingJobs(store, clock),
            explanations=Explanations(store),
            watcher=self._watcher,
            hints=self.hints,
            algorithms=algorithms,
            executor=self._executor,
            creators=self._creators,
            explainers=self._explainers,
            clock=clock,
        )
        tuning_service_pb2_grpc.add_TuningServiceServicer_to_server(servicer, self._server)  # type: ignore[no-untyped-call]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (SERVICE, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)
        self._readiness: asyncio.Task[None] | None = None
        self.address = ""
        self.ready = False

    async def start(self) -> None:
        """Listens.

        Raises:
            CannotListen: When the address is taken or not allowed.
        """
        host = self._settings.listen.rpartition(":")[0]
        port = listen(self._server, self._settings)
        self.address = f"{host}:{port}"
        await self.hints.start()
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        await self._health.set(SERVICE, health_pb2.HealthCheckResponse.NOT_SERVING)  # until the database has answered
        await self._server.start()
        self._readiness = asyncio.create_task(self._watch_readiness())
        _LOG.info("API listens", address=self.address)

    async def stop(self, grace_s: float = DRAIN_GRACE_S) -> None:
        """Drains: not ready any more, streams end with a token, calls in flight get time to end."""
        if self._readiness is not None:
            self._readiness.cancel()
        self.ready = False
        await self._health.enter_graceful_shutdown()
        self._watcher.drain()
        await self._server.stop(grace_s)
        await self.hints.stop()
        self._creators.shutdown(wait=False, cancel_futures=True)  # the calls have ended; a hung file system may not
        self._explainers.shutdown(cancel_futures=True)
        self._executor.shutdown(cancel_futures=True)
        _LOG.info("API stopped", address=self.address)

    async def _blocking(self, call: Callable[[], Result]) -> Result:
        """Runs a blocking call on the database threads."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    async def _watch_readiness(self) -> None:
        """Keeps the health of the service equal to the database's."""
        while True:
            try:
                await self._blocking(self._store.ping)
                await self._health.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
                self.ready = True
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the database, ask it again
                if not isinstance(error, ServiceUnavailable):
                    _LOG.warning("the database is not usable", error=str(error)[:500])
                await self._health.set(SERVICE, health_pb2.HealthCheckResponse.NOT_SERVING)
                self.ready = False
            await asyncio.sleep(READINESS_INTERVAL_S)


@dataclass(frozen=True)
class ServerThread:
    """A server on a thread of its own."""

    address: str
    hints: JobHints
    _loop: asyncio.AbstractEventLoop
    _server: ApiServer
    _thread: threading.Thread

    def close(self, timeout_s: float = DRAIN_GRACE_S) -> None:
        """Drains and ends the thread. Idempotent."""
        if not self._thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self._server.stop(timeout_s), self._loop).result(timeout_s + 10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


def run_in_thread(
    settings: Settings,
    store: Store,
    broker: Broker,
    algorithms: AlgorithmRegistry,
    *,
    clock: Clock = utc_now,
    heartbeat_s: float = HEARTBEAT_S,
) -> ServerThread:
    """Starts a server on a loop and a thread of its own, for a process that does other things too.

    Raises:
        CannotListen: When the address is taken or not allowed.
    """
    loop = asyncio.new_event_loop()
    started: Future[ApiServer] = Future()

    async def start() -> None:
        try:
            server = ApiServer(settings, store, broker, algorithms, clock=clock, heartbeat_s=heartbeat_s)
            await server.start()
        except BaseException as error:  # noqa: BLE001 - raised again on the thread that asked
            started.set_exception(error)
            loop.stop()
        else:
            started.set_result(server)

    def run() -> None:
        asyncio.set_event_loop(loop)
        task = loop.create_task(start())
        loop.run_forever()
        task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=run, name="api-server", daemon=True)
    thread.start()
    server = started.result()
    return ServerThread(server.address, server.hints, loop, server, thread)
