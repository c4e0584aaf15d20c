"""The gRPC API, as this machine reaches it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from hrnn_tuner import __version__
from hrnn_tuner.client.channel import open_channel, stub_for
from hrnn_tuner.client.credentials import call_metadata
from hrnn_tuner.client.errors import PermissionDeniedError, error_from_rpc
from hrnn_tuner.doctor.contract import LIMIT_S, Finding, ok, problem, warning
from hrnn_tuner.doctor.versions import parts
from hrnn_tuner.v1 import tuning_service_pb2
from hrnn_tuner.version_header import VERSION_HEADER

ADVICE = (
    "see that it runs where --server or HRNN_TUNER_SERVER says, with TLS or without; to start one: hrnn-tuner serve"
)
_REFUSED_ADVICE = "name a token that is valid there: HRNN_TUNER_TOKEN; to make one: hrnn-tuner token create"
_TLS_ADVICE = "encrypt the connection: --tls, and --tls-ca for an authority of your own"
_SERVICE = tuning_service_pb2.DESCRIPTOR.services_by_name["TuningService"].full_name
_MAX_CHARACTERS = 200


@dataclass(frozen=True)
class Server:
    """An API and how to call it.

    Attributes:
        target: host:port.
        credentials: Of an encrypted connection; None for one that is not.
        token: The caller's; None without one.
    """

    target: str
    credentials: grpc.ChannelCredentials | None = None
    token: str | None = None


def check(server: Server) -> Sequence[Finding]:
    """Asks for its health and its version."""
    try:
        return [_ask(server)]
    except ValueError as error:  # the token would be sent in plaintext
        return [problem(str(error), _TLS_ADVICE)]
    except grpc.RpcError as error:
        failure = error_from_rpc(error)
        text = failure.message[:_MAX_CHARACTERS]
        if isinstance(failure, PermissionDeniedError):
            return [problem(f"{server.target} answers, and refuses: {text}", _REFUSED_ADVICE)]
        return [problem(f"{server.target} does not answer: {text}", ADVICE)]


def _ask(server: Server) -> Finding:
    """What its answers say."""
    target, encrypted = server.target, server.credentials is not None
    metadata = call_metadata(server.token, target, encrypted=encrypted)
    with open_channel(target, server.credentials) as channel:
        asked = health_pb2.HealthCheckRequest(service=_SERVICE)
        health = health_pb2_grpc.HealthStub(channel).Check(asked, timeout=LIMIT_S)
        if health.status != health_pb2.HealthCheckResponse.SERVING:
            return problem(f"{target} does not serve", "its database is away or has no schema: see there, and its log")
        request = tuning_service_pb2.ListAlgorithmsRequest()
        _, call = stub_for(channel).ListAlgorithms.with_call(request, timeout=LIMIT_S, metadata=metadata)
    other = str(dict(call.trailing_metadata()).get(VERSION_HEADER, "unknown"))
    text = f"{target} serves; its version is {other}"
    if parts(other)[:2] != parts(__version__)[:2]:
        return warning(text, f"this command is of version {__version__}: install the server's here, or upgrade it")
    return ok(text)
