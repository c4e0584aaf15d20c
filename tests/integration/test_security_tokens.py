"""Who is let in: tokens, roles, and what those see who are not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from api_service.access import authentication, interceptor
from api_service.access.roles import NEEDED_ROLES
from hrnn_tuner.client import (
    AsyncTuningClient,
    PermissionDeniedError,
    ResourceExhaustedError,
    TuningClient,
    parse_request,
)
from hrnn_tuner.domain.access import Role
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.store import Store
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.support.access import bearer, client_of, token_for
from tests.support.api import NO_RETRIES, Api, running_api, spec_of
from tests.support.tuning import open_store, sqlite_url
from tests.support.waiting import wait_until

METHODS = sorted(pb.DESCRIPTOR.services_by_name["TuningService"].methods_by_name)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API that asks who is calling, for tests that change nothing that others see."""
    folder = tmp_path_factory.mktemp("guarded")
    store = open_store(sqlite_url(folder))
    with running_api(folder, store, authentication="on") as running:
        yield running
    store.close()


def answer_to(api: Api, method: str, metadata: Any) -> tuple[grpc.StatusCode, str]:
    """Calls a method with an empty request; returns status and text."""
    try:
        answer = getattr(api.stub, method)(getattr(pb, f"{method}Request")(), metadata=metadata, timeout=20)
        if hasattr(answer, "__next__"):
            next(answer)
    except grpc.RpcError as error:
        return error.code(), error.details()
    return grpc.StatusCode.OK, ""


def test_every_rpc_of_the_contract_needs_a_role() -> None:
    assert sorted(NEEDED_ROLES) == METHODS


@pytest.mark.parametrize("method", METHODS)
def test_without_a_token_nothing_is_answered(guarded: Api, method: str) -> None:
    code, text = answer_to(guarded, method, ())
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert "hrnn-tuner token create" in text


def changed_secret(token: str) -> str:
    return token[:-1] + ("A" if token[-1] != "A" else "B")


@pytest.mark.parametrize("kind", ["unknown", "secret", "text", "basic", "empty", "two", "expired", "revoked"])
def test_a_token_that_does_not_count_is_refused_without_saying_why(guarded: Api, kind: str) -> None:
    good = token_for(guarded.store, "red")
    metadata: dict[str, Any] = {
        "unknown": bearer(f"hrnn_{'0' * 12}_{good.rpartition('_')[2][:43].rjust(43, 'A')}"),
        "secret": bearer(changed_secret(good)),
        "text": bearer("secret"),
        "basic": (("authorization", f"Basic {good}"),),
        "empty": (("authorization", ""),),
        "two": bearer(good) * 2,
    }
    if kind == "expired":
        metadata[kind] = bearer(token_for(guarded.store, "red", expires_at=utc_now() - timedelta(seconds=1)))
    if kind == "revoked":
        with guarded.store.write() as tx:
            tx.tokens.revoke(good.split("_")[1], utc_now())
        metadata[kind] = bearer(good)
    code, text = answer_to(guarded, "ListTuningJobs", metadata[kind])
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert text == "the token does not count: it is unknown, malformed, expired or revoked"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("role", list(Role))
def test_each_role_calls_what_it_may_and_nothing_else(guarded: Api, role: Role, method: str) -> None:
    code, text = answer_to(guarded, method, bearer(token_for(guarded.store, "roles", role)))
    needed = NEEDED_ROLES[method]
    if role.includes(needed):
        assert code in {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}, "the empty request, not the caller"
    else:
        assert code is grpc.StatusCode.PERMISSION_DENIED
        assert text == f"{method} needs the role {needed.value}; the caller has {role.value}"


def test_a_refused_request_is_not_even_parsed(guarded: Api) -> None:
    with grpc.insecure_channel(guarded.server.address) as channel:
        create = channel.unary_unary("/hrnn_tuner.v1.TuningService/CreateTuningJob")
        with pytest.raises(grpc.RpcError) as caught:
            create(b"\xff" * 100, timeout=20)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_only_the_health_check_is_open_to_everybody(guarded: Api) -> None:
    with grpc.insecure_channel(guarded.server.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        assert health.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as caught:
            next(health.Watch(health_pb2.HealthCheckRequest()))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        with pytest.raises(grpc.RpcError) as caught:
            next(stub.ServerReflectionInfo(iter(asked)))
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        known = bearer(token_for(guarded.store, "red", Role.READ))
        (answer,) = stub.ServerReflectionInfo(iter(asked), metadata=known)
        assert "hrnn_tuner.v1.TuningService" in [item.name for item in answer.list_services_response.service]
        unknown = channel.unary_unary("/hrnn_tuner.v1.TuningService/Nothing", Empty.SerializeToString)
        with pytest.raises(grpc.RpcError) as caught:
            unknown(Empty())
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_revoked_token_ends_calls_and_open_streams(
    tmp_path: Path, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "TOKEN_FRESH_S", 0.1)
    monkeypatch.setattr(interceptor, "RECHECK_S", 0.1)
    with running_api(tmp_path, sqlite_store, authentication="on", heartbeat_s=0.1) as api:
        token = token_for(sqlite_store, "red")
        api.stub.CreateTuningJob(parse_request(spec_of("job")), metadata=bearer(token), timeout=20)
        stream = api.stub.WatchTuningJob(pb.WatchTuningJobRequest(name="job"), metadata=bearer(token))
        next(stream)
        with sqlite_store.write() as tx:
            tx.tokens.revoke(token.split("_")[1], utc_now())
        with pytest.raises(grpc.RpcError) as caught:
            for _ in stream:
                pass
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        wait_until(lambda: _refused(api, token), message="calls are refused too")


def _refused(api: Api, token: str) -> bool:
    try:
        api.stub.ListTuningJobs(pb.ListTuningJobsRequest(), metadata=bearer(token), timeout=20)
    except grpc.RpcError as error:
        return bool(error.code() is grpc.StatusCode.UNAUTHENTICATED)
    return False


def test_a_caller_that_calls_too_often_is_told_when_to_come_back(tmp_path: Path, sqlite_store: Store) -> None:
    limits: dict[str, Any] = {"rate_limit_per_s": 0.1, "rate_limit_burst": 3}
    with (
        running_api(tmp_path, sqlite_store, authentication="on", **limits) as api,
        client_of(api, "red") as eager,
        client_of(api, "red") as other,
    ):
        for _ in range(3):
            assert list(eager.list_tuning_jobs()) == []
        with pytest.raises(ResourceExhaustedError, match=r"allowed: 0\.1 per second, 3 at once") as caught:
            list(eager.list_tuning_jobs())
        assert caught.value.reason == "RATE_LIMITED"
        assert caught.value.retry_after_s == pytest.approx(10, abs=5)
        assert list(other.list_tuning_jobs()) == [], "another token has calls of its own"


def test_a_client_sends_no_token_over_a_network_in_plaintext() -> None:
    for target in ("tuner.example:50051", "10.0.0.1:50051", "localhost.example:1", "127.example:1", "dns:///a.b:1"):
        with pytest.raises(ValueError, match="in plaintext"):
            TuningClient(target, token="hrnn_x")
    for target in ("127.0.0.1:1", "localhost:1", "[::1]:1", "dns:///localhost:1", "unix:/tmp/x"):
        TuningClient(target, token="hrnn_x").close()


def test_a_read_token_changes_nothing(guarded: Api) -> None:
    with client_of(guarded, "red", Role.READ) as reader, pytest.raises(PermissionDeniedError):
        reader.create_tuning_job(spec_of("made"))
    with client_of(guarded, "red") as admin:
        assert list(admin.list_tuning_jobs()) == []


async def test_the_asyncio_client_proves_itself_too(guarded: Api) -> None:
    address, token = guarded.server.address, token_for(guarded.store, "aio")
    async with AsyncTuningClient(address, retry=NO_RETRIES, token=token) as known:
        await known.create_tuning_job(spec_of("job"))
        assert [job.name async for job in known.list_tuning_jobs()] == ["job"]
        assert (await anext(aiter(known.watch_tuning_job("job")))).resume_token
    async with AsyncTuningClient(address, retry=NO_RETRIES) as nobody:
        with pytest.raises(PermissionDeniedError):
            await nobody.get_tuning_job("job")
    with pytest.raises(ValueError, match="in plaintext"):
        AsyncTuningClient("tuner.example:1", token=token)
