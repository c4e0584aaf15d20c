"""Asks the API whether it is ready: ``python -m api_service.probe [host:port]``; exit status 0 or 1."""

from __future__ import annotations

import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVICE = "hrnn_tuner.v1.TuningService"
TIMEOUT_S = 3.0


def default_address() -> str:
    """Where the API of this container listens."""
    listen = os.environ.get("HRNN_TUNER_LISTEN", "127.0.0.1:50051")
    host, _, port = listen.rpartition(":")
    return f"127.0.0.1:{port}" if host in {"0.0.0.0", "[::]"} else listen  # noqa: S104 - compared, not bound


def ready(address: str) -> bool:
    """Whether the API at an address serves requests."""
    with grpc.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest(service=SERVICE)
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=TIMEOUT_S)
        except grpc.RpcError as error:
            sys.stderr.write(f"{address}: {error.code().name}\n")
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def main() -> None:
    """Exits with the answer."""
    address = sys.argv[1] if len(sys.argv) > 1 else default_address()
    sys.exit(0 if ready(address) else 1)


if __name__ == "__main__":
    main()
