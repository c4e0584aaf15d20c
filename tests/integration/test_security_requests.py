"""Requests that want to break in, to break something, or to hold everything up."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from api_service.access import interceptor
from hrnn_tuner.client import InvalidRequestError, NotFoundError, ResourceExhaustedError, parse_request
from hrnn_tuner.store import Store
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.support.api import CSV, Api, hrnn_spec_of, running_api, spec_of
from tests.support.bad_requests import limits
from tests.support.stack import REPOSITORY
from tests.support.waiting import wait_until

HIDDEN = "do-not-tell"
CREATE = "/hrnn_tuner.v1.TuningService/CreateTuningJob"


@pytest.fixture
def outside(api: Api) -> Path:
    """A folder beside the allowed one, with data that nobody may read, and a link to it from inside."""
    folder = api.folder / "database"  # begins like the allowed folder
    folder.mkdir()
    (folder / "secret.csv").write_text(f"{HIDDEN},USER_ID\n1,2\n")
    (api.data / "link").symlink_to(folder)
    (api.data / "good.csv").write_text(CSV)
    return folder


def escapes(api: Api, outside: Path) -> list[str]:
    """Locations that lead to what nobody may read, or may do so for some reader."""
    data, secret = api.data, outside / "secret.csv"
    return [
        str(secret), f"file://{secret}", f"{data}/../database/secret.csv", f"file://{data}/../database/secret.csv",
        f"{data}/link/secret.csv", f"{data}/link/../database/secret.csv", f"{data}/./../database/secret.csv",
        f"{data}base/secret.csv", f"file:{secret}", f"FILE://{secret}", f"local://{secret}",
        f"zip://x::file://{secret}", f"{data}/good.csv::file://{secret}", f"simplecache::file://{secret}",
        f"{data}/*/secret.csv", f"{data}/[l]ink/secret.csv", "/etc/passwd", "/proc/self/environ", "~/secret.csv",
        "secret.csv", "../database/secret.csv", "s3://bucket/x", "http://127.0.0.1/x", "memory://x", "//etc/passwd",
    ]  # fmt: skip


@pytest.mark.parametrize("field", ["data_channels[0].uri", "output_uri", "checkpoint_config.uri"])
def test_no_location_leads_out_of_the_prefixes(api: Api, outside: Path, field: str) -> None:
    for uri in escapes(api, outside):
        places: dict[str, dict[str, Any]] = {
            "data_channels[0].uri": {"data_channels": [{"name": "interactions", "uri": uri}]},
            "output_uri": {"output_uri": uri},
            "checkpoint_config.uri": {"checkpoint_config": {"uri": uri}},
        }
        fields = places[field]
        with pytest.raises(InvalidRequestError) as caught:
            api.client.create_tuning_job(hrnn_spec_of("job", ("interactions", api.data / "good.csv"), **fields))
        found = {item.field: item for item in caught.value.violations}
        assert set(found) == {f"tuning_job.training_job_definitions[0].{field}"}, uri
        assert "allowed: locations below" in next(iter(found.values())).description, uri
        assert HIDDEN not in str(caught.value)
    assert api.names == []


def raw_call(api: Api, body: bytes, method: str = CREATE, **options: Any) -> grpc.RpcError:
    """Sends bytes as a request; returns the error."""
    with grpc.insecure_channel(api.server.address) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(method)(body, timeout=30, **options)
    return caught.value


@pytest.mark.parametrize("body", [b"\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x02\xc3\x28", b"\x0b" * 200])
def test_bytes_that_are_no_message_are_an_invalid_argument(shared_api: Api, body: bytes) -> None:
    error = raw_call(shared_api, body)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert f"{len(body)} bytes that are no message" in error.details()


def test_an_oversize_message_is_refused(shared_api: Api) -> None:
    error = raw_call(shared_api, b"\x12" + b"a" * (5 * 1024 * 1024))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_message_that_would_unpack_to_gigabytes_is_not_unpacked(shared_api: Api) -> None:
    request = pb.CreateTuningJobRequest(request_id="a" * 3_000_000).SerializeToString()
    assert len(gzip.compress(request)) < 10_000
    error = raw_call(shared_api, request, compression=grpc.Compression.Gzip)
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


def test_deeply_nested_messages_are_refused(shared_api: Api) -> None:
    body = b""
    for _ in range(3000):  # groups within groups, deeper than any parser goes
        body = b"\x0b" + body
    assert raw_call(shared_api, body).code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("method", ["CreateTuningJob", "WatchTuningJob"])
def test_a_client_that_does_not_send_its_request_does_not_hold_its_place(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(interceptor, "REQUEST_TIMEOUT_S", 0.2)
    answered = threading.Event()

    def nothing() -> Iterator[bytes]:
        answered.wait(30)
        yield from ()

    with grpc.insecure_channel(shared_api.server.address) as channel:
        call = channel.stream_stream(f"/hrnn_tuner.v1.TuningService/{method}")(nothing(), timeout=30)
        assert call.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert call.details().endswith("no message came within 0.2 s of the call")
        answered.set()


def test_a_call_without_a_message_is_an_invalid_argument(shared_api: Api) -> None:
    with grpc.insecure_channel(shared_api.server.address) as channel:
        call = channel.stream_unary(CREATE).future(iter(()), timeout=30)
        assert call.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_connection_that_says_nothing_is_closed(shared_api: Api) -> None:
    host, _, port = shared_api.server.address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=60) as silent:
        while silent.recv(4096):  # the server's own first words
            pass


def test_a_name_forges_no_line_of_the_log(shared_api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    with _service_logs():
        for name in ("x\n2026-11-21 [info] forged outcome=OK", "x\r\x1b[2Jforged", "x\u2028forged", "x\x85forged"):
            with pytest.raises(NotFoundError):
                shared_api.client.stop_tuning_job(name)
    lines = [line for line in capfd.readouterr().err.splitlines() if "forged" in line]
    assert len(lines) >= 8, "the refusal and the audit line of each"
    assert all("refused" in line or " call " in line for line in lines)
    assert not any(character in line for line in lines for character in "\x1b\x85\u2028")


@contextmanager
def _service_logs() -> Iterator[None]:
    """Logs as a service does; logging is global, so it is put back."""
    import logging

    import structlog

    from hrnn_tuner.telemetry import configure_logging

    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    configure_logging(service="api", log_format="console", level="INFO")
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.configure(**before)


def test_a_secret_is_neither_echoed_nor_logged(shared_api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    secret = "ghp_" + "a1B2" * 9
    definition = {"environment": {"GIT": secret}, "static_hyperparameters": {"x": {"string_value": secret}}}
    spec = spec_of(tags={"team": secret}, name="job")
    spec["training_job_definitions"][0] |= definition
    with _service_logs(), pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(spec)
    fields = {item.field for item in caught.value.violations}
    first = "tuning_job.training_job_definitions[0]"
    assert {f'{first}.environment["GIT"]', 'tuning_job.tags["team"]'} <= fields
    assert secret not in str(caught.value)
    captured = capfd.readouterr()
    assert "refused" in captured.err
    assert secret not in captured.err + captured.out


def resident_mib() -> float:
    """Memory of this process, in which the server runs."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.timeout(600)  # ten thousand calls, on however busy a machine
def test_ten_thousand_watch_streams_are_served_or_refused_within_bounded_memory(
    tmp_path: Path, sqlite_store: Store
) -> None:
    with running_api(tmp_path, sqlite_store, max_watch_streams=100, max_watch_streams_per_project=60) as api:
        api.client.create_tuning_job(spec_of("job"))
        before = resident_mib()
        command = [sys.executable, "-m", "tests.support.watch_flood", api.server.address, "10000"]
        flood = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY)
        assert flood.stdin is not None
        assert flood.stdout is not None
        answers = json.loads(flood.stdout.readline())
        assert answers == {"OPEN": 60, "RESOURCE_EXHAUSTED": 9940}
        assert resident_mib() - before < 512
        assert api.names == ["job"], "other calls are answered meanwhile"
        with pytest.raises(ResourceExhaustedError, match="60 Watch streams of this project are open; allowed: 60"):
            next(iter(api.client.watch_tuning_job("job")))
        flood.stdin.close()
        assert flood.wait(60) == 0
        wait_until(lambda: api.server.hints.listeners == 0, 60, "every place is free again")
        assert next(iter(api.client.watch_tuning_job("job"))).resume_token


def test_a_projects_parallel_training_jobs_are_counted_together(tmp_path: Path, sqlite_store: Store) -> None:
    with running_api(tmp_path, sqlite_store, max_parallel_training_jobs_in_progress=5) as api:
        api.client.create_tuning_job(spec_of("first", **limits(jobs=9, parallel=3)))
        with pytest.raises(ResourceExhaustedError, match=r"may run 3 .* and this one 3; allowed together: 5") as caught:
            api.client.create_tuning_job(spec_of("second", **limits(jobs=9, parallel=3)))
        assert caught.value.metadata == {"limit": "5", "used": "3"}
        api.client.create_tuning_job(spec_of("third", **limits(jobs=9, parallel=2)))


def test_a_replayed_request_makes_nothing_twice(api: Api) -> None:
    request = parse_request(spec_of("job"))
    request.request_id = "6b1f7a52-6d0b-4e0f-9a6f-0f6c2f3f4b51"
    first, again = (api.stub.CreateTuningJob(request, timeout=20) for _ in range(2))
    assert first.tuning_job.resume_token == again.tuning_job.resume_token
    assert api.names == ["job"]
