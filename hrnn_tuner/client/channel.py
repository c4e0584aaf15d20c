"""Options of the client's gRPC channels."""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio

from hrnn_tuner.domain.addresses import is_loopback
from hrnn_tuner.v1.tuning_service_pb2_grpc import TuningServiceStub

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_OPTIONS: tuple[tuple[str, int], ...] = (
    # gRPC's own default waits up to 120 s between two attempts to connect: a server would seem away long after its
    # return.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Finds a partitioned server while a watch is quiet. The server allows one ping in 30 s.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
)


def _options(target: str) -> list[tuple[str, int]]:
    """The options for one target."""
    # gRPC sends even loopback traffic to $http_proxy unless $no_proxy says otherwise.
    proxy = [("grpc.enable_http_proxy", 0)] if is_loopback(target) else []
    return [*_OPTIONS, *proxy]


def open_channel(target: str, credentials: grpc.ChannelCredentials | None) -> grpc.Channel:
    """Opens a channel; without credentials it is not encrypted."""
    if credentials is None:
        return grpc.insecure_channel(target, options=_options(target))
    return grpc.secure_channel(target, credentials, options=_options(target))


def open_aio_channel(target: str, credentials: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
    """The same for asyncio; call it in the running event loop."""
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=_options(target))
    return grpc.aio.secure_channel(target, credentials, options=_options(target))


def stub_for(channel: grpc.Channel | grpc.aio.Channel) -> Any:
    """The generated stub, which carries no types."""
    return TuningServiceStub(channel)  # type: ignore[no-untyped-call]
