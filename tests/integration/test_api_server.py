"""The server itself: health, reflection, limits, garbage, drain."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from api_service.listening import CannotListen
from api_service.server import SERVICE
from hrnn_tuner.client import TuningError
from hrnn_tuner.store import Store
from tests.support.api import Api, running_api, spec_of
from tests.support.postgres import PrivatePostgres
from tests.support.tuning import open_store
from tests.support.waiting import wait_until

SERVING = health_pb2.HealthCheckResponse.SERVING


def health(address: str, service: str) -> int:
    with grpc.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        return int(health_pb2_grpc.HealthStub(channel).Check(request, timeout=5).status)


def test_the_server_is_alive_and_ready(api: Api) -> None:
    wait_until(lambda: health(api.server.address, SERVICE) == SERVING, 10, "readiness")
    assert health(api.server.address, "") == SERVING


def test_the_server_is_alive_and_not_ready_until_its_database_has_answered(
    tmp_path: Path, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    monkeypatch.setattr(sqlite_store, "ping", lambda: answers.wait(20))
    with running_api(tmp_path, sqlite_store) as api:
        assert health(api.server.address, SERVICE) == health_pb2.HealthCheckResponse.NOT_SERVING
        assert health(api.server.address, "") == SERVING
        answers.set()
        wait_until(lambda: health(api.server.address, SERVICE) == SERVING, 10, "readiness")


def test_reflection_lists_the_service(shared_api: Api) -> None:
    with grpc.insecure_channel(shared_api.server.address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        (answer,) = stub.ServerReflectionInfo(iter([request]), timeout=10)
    assert SERVICE in {service.name for service in answer.list_services_response.service}


def test_a_request_over_four_mebibytes_is_refused(shared_api: Api) -> None:
    with pytest.raises(TuningError) as caught:
        shared_api.client.create_tuning_job(spec_of(tags={f"k{index}": "v" * 100_000 for index in range(45)}))
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("garbage", [b"\x00" * 4096, b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100_000])
def test_garbage_on_the_port_harms_nobody(shared_api: Api, garbage: bytes) -> None:
    host, port = shared_api.server.address.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        try:
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1024)
        except OSError:
            pass  # the server may hang up first
    assert shared_api.client.list_algorithms()


def test_a_second_server_on_the_port_is_refused(tmp_path: Path, sqlite_store: Store) -> None:
    with (
        running_api(tmp_path, sqlite_store) as first,
        pytest.raises(CannotListen, match="cannot listen on"),
        running_api(tmp_path, sqlite_store, listen=first.server.address),
    ):
        pass


def probe(address: str) -> int:
    command = [sys.executable, "-m", "api_service.probe", address]
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode


def test_the_probe_says_by_its_exit_status_whether_the_api_is_ready(api: Api) -> None:
    wait_until(lambda: health(api.server.address, SERVICE) == SERVING, 10, "readiness")
    assert probe(api.server.address) == 0
    assert probe("127.0.0.1:1") == 1


def test_a_database_that_went_away_is_unavailable_until_it_is_back(
    tmp_path: Path, postgres_server: PrivatePostgres
) -> None:
    store = open_store(postgres_server.url)
    with running_api(tmp_path, store) as api:
        wait_until(lambda: health(api.server.address, SERVICE) == SERVING, 10, "readiness")
        postgres_server.kill()
        with pytest.raises(TuningError) as caught:
            api.client.create_tuning_job(spec_of())
        assert caught.value.code is grpc.StatusCode.UNAVAILABLE
        wait_until(lambda: health(api.server.address, SERVICE) != SERVING, 15, "not being ready")
        postgres_server.start()
        wait_until(lambda: health(api.server.address, SERVICE) == SERVING, 20, "readiness again")
        api.client.create_tuning_job(spec_of())
        assert api.names == ["job"]
    store.close()


def test_an_unexpected_error_shows_an_id_and_nothing_else(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("api_service.tuning_jobs.TuningJobs.get", broken)
    with pytest.raises(TuningError, match="request_id") as caught:
        api.client.get_tuning_job("job")
    assert caught.value.code is grpc.StatusCode.INTERNAL
    assert "secret" not in str(caught.value)
