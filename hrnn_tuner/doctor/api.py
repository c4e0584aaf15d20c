"""The gRPC API, as this machine reaches it."""

from __future__ import annotations

from collections.abc import Sequence

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from hrnn_tuner import __version__
from hrnn_tuner.client.channel import open_channel, stub_for
from hrnn_tuner.client.errors import error_from_rpc
from hrnn_tuner.doctor.contract import LIMIT_S, Finding, ok, problem, warning
from hrnn_tuner.doctor.versions import parts
from hrnn_tuner.v1 import tuning_service_pb2
from hrnn_tuner.version_header import VERSION_HEADER

ADVICE = "see that it runs where --server or HRNN_TUNER_SERVER says; to start one: hrnn-tuner serve"
_SERVICE = tuning_service_pb2.DESCRIPTOR.services_by_name["TuningService"].full_name
_MAX_CHARACTERS = 200


def check(server: str) -> Sequence[Finding]:
    """Asks for its health and its version."""
    try:
        return [_ask(server)]
    except grpc.RpcError as error:
        return [problem(f"{server} does not answer: {error_from_rpc(error).message[:_MAX_CHARACTERS]}", ADVICE)]


def _ask(server: str) -> Finding:
    """What its answers say."""
    with open_channel(server, None) as channel:
        asked = health_pb2.HealthCheckRequest(service=_SERVICE)
        health = health_pb2_grpc.HealthStub(channel).Check(asked, timeout=LIMIT_S)
        if health.status != health_pb2.HealthCheckResponse.SERVING:
            return problem(f"{server} does not serve", "its database is away or has no schema: see there, and its log")
        request = tuning_service_pb2.ListAlgorithmsRequest()
        _, call = stub_for(channel).ListAlgorithms.with_call(request, timeout=LIMIT_S)
    other = str(dict(call.trailing_metadata()).get(VERSION_HEADER, "unknown"))
    text = f"{server} serves; its version is {other}"
    if parts(other)[:2] != parts(__version__)[:2]:
        return warning(text, f"this command is of version {__version__}: install the server's here, or upgrade it")
    return ok(text)
