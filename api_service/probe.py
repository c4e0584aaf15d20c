"""Asks the API whether it is ready: ``python -m api_service.probe [host:port]``; exit status 0 or 1.

Where the API serves metrics it asks there, over HTTP: gRPC's health check may need a certificate.
"""

from __future__ import annotations

import http.client
import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVICE = "hrnn_tuner.v1.TuningService"
TIMEOUT_S = 3.0


def local_address(variable: str, default: str) -> str:
    """Where the API of this container listens, as a setting says."""
    listen = os.environ.get(variable, default)
    host, _, port = listen.rpartition(":")
    return f"127.0.0.1:{port}" if host in {"0.0.0.0", "[::]"} else listen  # noqa: S104 - compared, not bound


def ready(address: str) -> bool:
    """Whether the API at an address serves requests, by gRPC without TLS."""
    with grpc.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest(service=SERVICE)
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=TIMEOUT_S)
        except grpc.RpcError as error:
            sys.stderr.write(f"{address}: {error.code().name}\n")
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def ready_by_http(address: str) -> bool:
    """Whether the API whose metrics are at an address serves requests."""
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"{address}: {error}\n")
        return False
    finally:
        connection.close()


def main() -> None:
    """Exits with the answer."""
    metrics = local_address("HRNN_TUNER_METRICS_LISTEN", "")
    if len(sys.argv) > 1:
        answer = ready(sys.argv[1])
    elif metrics:
        answer = ready_by_http(metrics)
    else:
        answer = ready(local_address("HRNN_TUNER_LISTEN", "127.0.0.1:50051"))
    sys.exit(0 if answer else 1)


if __name__ == "__main__":
    main()
