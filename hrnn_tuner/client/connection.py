"""One channel to the service for threads: typed unary calls with retries, pages, and the raw watch stream."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, TypeVar, cast

import grpc
from google.protobuf.message import Message
from opentelemetry.trace import SpanKind

from hrnn_tuner.client.channel import open_channel, stub_for
from hrnn_tuner.client.credentials import call_metadata
from hrnn_tuner.client.errors import error_from_rpc
from hrnn_tuner.client.retry import Attempts, RetryPolicy
from hrnn_tuner.telemetry.tracing import inject, span
from hrnn_tuner.v1.tuning_service_pb2 import WatchTuningJobRequest

R = TypeVar("R", bound=Message)


class Connection:
    """A channel that is safe to share between threads."""

    def __init__(
        self,
        target: str,
        credentials: grpc.ChannelCredentials | None,
        timeout_s: float,
        retry: RetryPolicy,
        token: str | None,
    ) -> None:
        self._identity = call_metadata(token, target, encrypted=credentials is not None)
        self._timeout_s = timeout_s
        self._retry = retry
        self._channel = open_channel(target, credentials)
        self._stub = stub_for(self._channel)
        self._closed = threading.Event()

    def close(self) -> None:
        """Closes the channel and ends every pause."""
        self._closed.set()
        self._channel.close()

    def call(self, request: Message, response_type: type[R]) -> R:  # noqa: ARG002 - the type is for mypy
        """Sends a request to the method of its name, and again while that may help.

        Raises:
            TuningError: When it failed for good.
        """
        name = type(request).__name__.removesuffix("Request")
        method = getattr(self._stub, name)
        attempts = Attempts(self._retry, self._timeout_s)
        while True:
            try:
                with span(f"TuningService/{name}", SpanKind.CLIENT):
                    metadata = (*self._identity, *inject().items())
                    return cast(R, method(request, timeout=attempts.remaining_s(), metadata=metadata))
            except grpc.RpcError as error:
                delay_s = attempts.delay_after(error_from_rpc(error))
            self.pause(delay_s)

    def pages(self, request: Any, response_type: type[R]) -> Iterator[R]:
        """Calls a List method page after page, each when it is asked for."""
        while True:
            page: Any = self.call(request, response_type)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def watch(self, request: WatchTuningJobRequest, timeout_s: float | None) -> Any:
        """Opens a watch stream."""
        return self._stub.WatchTuningJob(request, timeout=timeout_s, metadata=(*self._identity, *inject().items()))

    def pause(self, delay_s: float) -> None:
        """Waits; returns early when the connection is closed."""
        self._closed.wait(delay_s)
