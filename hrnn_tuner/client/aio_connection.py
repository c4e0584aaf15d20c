"""One channel to the service for asyncio: the twin of `hrnn_tuner.client.connection`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeVar, cast

import grpc
from google.protobuf.message import Message
from opentelemetry.trace import SpanKind

from hrnn_tuner.client.channel import open_aio_channel, stub_for
from hrnn_tuner.client.credentials import call_metadata
from hrnn_tuner.client.errors import error_from_rpc
from hrnn_tuner.client.retry import Attempts, RetryPolicy
from hrnn_tuner.telemetry.tracing import inject, span
from hrnn_tuner.v1.tuning_service_pb2 import WatchTuningJobRequest

R = TypeVar("R", bound=Message)


class AioConnection:
    """A channel that belongs to the event loop in which it was made."""

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
        self._channel = open_aio_channel(target, credentials)
        self._stub = stub_for(self._channel)

    async def close(self) -> None:
        """Closes the channel."""
        await self._channel.close()

    async def call(self, request: Message, response_type: type[R]) -> R:  # noqa: ARG002 - the type is for mypy
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
                    return cast(R, await method(request, timeout=attempts.remaining_s(), metadata=metadata))
            except grpc.RpcError as error:
                delay_s = attempts.delay_after(error_from_rpc(error))
            await asyncio.sleep(delay_s)

    async def pages(self, request: Any, response_type: type[R]) -> AsyncIterator[R]:
        """Calls a List method page after page, each when it is asked for."""
        while True:
            page: Any = await self.call(request, response_type)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def watch(self, request: WatchTuningJobRequest, timeout_s: float | None) -> Any:
        """Opens a watch stream."""
        return self._stub.WatchTuningJob(request, timeout=timeout_s, metadata=(*self._identity, *inject().items()))
