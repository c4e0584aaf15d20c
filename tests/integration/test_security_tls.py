"""TLS, client certificates, and no plaintext where others could read it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from typer.testing import CliRunner

from api_service.listening import CannotListen
from hrnn_tuner import __version__
from hrnn_tuner.cli.exits import ExitCode
from hrnn_tuner.cli.main import app
from hrnn_tuner.client import (
    AlreadyExistsError,
    NotFoundError,
    PermissionDeniedError,
    TuningClient,
    UnavailableError,
    tls_credentials,
)
from hrnn_tuner.doctor import Server, Severity
from hrnn_tuner.doctor import api as doctor_api
from hrnn_tuner.domain.access import Role
from hrnn_tuner.settings import Settings
from hrnn_tuner.store import Store
from tests.support.access import ServerFiles, client_credentials, token_for
from tests.support.api import NO_RETRIES, Api, running_api, spec_of

WRITER = "hrnn-tuner://red/write"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(tmp_path: Path, authority: trustme.CA) -> ServerFiles:
    written = ServerFiles(tmp_path)
    written.write(authority)
    return written


@pytest.fixture
def mutual(tmp_path: Path, sqlite_store: Store, files: ServerFiles) -> Iterator[Api]:
    """An API that asks its callers for certificates."""
    settings: dict[str, Any] = {**files.settings, "tls_client_ca": files.client_ca, "authentication": "on"}
    with running_api(tmp_path, sqlite_store, **settings) as api:
        yield api


def client(api: Api, credentials: grpc.ChannelCredentials | None, token: str | None = None) -> TuningClient:
    return TuningClient(api.server.address, credentials, retry=NO_RETRIES, timeout_s=10, token=token)


def test_a_certificate_names_project_and_role(mutual: Api, authority: trustme.CA) -> None:
    with client(mutual, client_credentials(authority, WRITER)) as writer:
        writer.create_tuning_job(spec_of("job"))
        with pytest.raises(PermissionDeniedError, match="needs the role admin; the caller has write"):
            writer.delete_tuning_job("job")
    with client(mutual, client_credentials(authority, "hrnn-tuner://blue/admin")) as other:
        with pytest.raises(NotFoundError):
            other.get_tuning_job("job")
        other.create_tuning_job(spec_of("job"))


@pytest.mark.parametrize(
    "name",
    ["hrnn-tuner://red/owner", "hrnn-tuner://red", "hrnn-tuner://RED/read", "hrnn-tuner:///read", "https://red/read"],
)
def test_a_certificate_that_names_no_role_of_a_project_lets_nobody_in(
    mutual: Api, authority: trustme.CA, name: str
) -> None:
    with client(mutual, client_credentials(authority, name)) as nobody, pytest.raises(PermissionDeniedError) as caught:
        list(nobody.list_tuning_jobs())
    assert caught.value.code is grpc.StatusCode.UNAUTHENTICATED


def test_a_token_counts_before_the_certificate(mutual: Api, authority: trustme.CA) -> None:
    token = token_for(mutual.store, "blue", Role.READ)
    with client(mutual, client_credentials(authority, WRITER), token) as reader, pytest.raises(PermissionDeniedError):
        reader.create_tuning_job(spec_of("job"))


@pytest.mark.parametrize("kind", ["expired", "of another authority", "none", "plaintext"])
def test_who_has_no_valid_certificate_gets_no_connection(
    mutual: Api, files: ServerFiles, authority: trustme.CA, kind: str
) -> None:
    kinds: dict[str, Callable[[], grpc.ChannelCredentials | None]] = {
        "expired": lambda: client_credentials(authority, WRITER, expired=True),
        "of another authority": lambda: client_credentials(trustme.CA(), WRITER),
        "none": lambda: tls_credentials(files.client_ca),
        "plaintext": lambda: None,
    }
    credentials = kinds[kind]()
    with client(mutual, credentials) as stranger, pytest.raises(UnavailableError):
        stranger.create_tuning_job(spec_of("job"))


def test_a_server_of_another_authority_is_not_trusted(mutual: Api, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(trustme.CA().cert_pem.bytes())
    token = token_for(mutual.store, "red")
    with client(mutual, tls_credentials(other), token) as careful, pytest.raises(UnavailableError):
        list(careful.list_tuning_jobs())


def test_new_certificates_count_without_a_restart(
    tmp_path: Path, sqlite_store: Store, files: ServerFiles, authority: trustme.CA
) -> None:
    token = token_for(sqlite_store, "red")
    before = tmp_path / "before.pem"
    before.write_bytes(authority.cert_pem.bytes())
    with running_api(tmp_path, sqlite_store, **files.settings, authentication="on") as api:
        with client(api, tls_credentials(before), token) as old:
            old.create_tuning_job(spec_of("job"))
            files.write(trustme.CA())
            with client(api, tls_credentials(files.client_ca), token) as new, pytest.raises(AlreadyExistsError):
                new.create_tuning_job(spec_of("job"))
            assert [job.name for job in old.list_tuning_jobs()] == ["job"], "open connections go on"
        files.settings["tls_key"].write_text("half a")
        with client(api, tls_credentials(files.client_ca), token) as same:
            assert [job.name for job in same.list_tuning_jobs()] == ["job"], "a broken file replaces nothing"


def test_without_tls_the_server_listens_to_this_machine_only(tmp_path: Path, sqlite_store: Store) -> None:
    for listen in ("0.0.0.0:0", "[::]:0", ":0", f"{socket.gethostname()}:0"):
        with (
            pytest.raises(CannotListen, match="refusing to listen"),
            running_api(tmp_path, sqlite_store, listen=listen),
        ):
            pass
    with running_api(tmp_path, sqlite_store, listen="0.0.0.0:0", allow_plaintext=True) as api:
        port = api.server.address.rpartition(":")[2]
        with (
            TuningClient(f"127.0.0.1:{port}", retry=NO_RETRIES, timeout_s=10) as nobody,
            pytest.raises(PermissionDeniedError),  # where others can connect, callers need tokens unless it is set off
        ):
            list(nobody.list_tuning_jobs())


def test_with_tls_the_server_listens_to_others_and_asks_who_they_are(
    tmp_path: Path, sqlite_store: Store, files: ServerFiles
) -> None:
    with running_api(tmp_path, sqlite_store, listen="0.0.0.0:0", **files.settings) as api:
        address = f"127.0.0.1:{api.server.address.rpartition(':')[2]}"
        credentials = tls_credentials(files.client_ca)
        with (
            TuningClient(address, credentials, retry=NO_RETRIES, timeout_s=10) as nobody,
            pytest.raises(PermissionDeniedError),
        ):
            list(nobody.list_tuning_jobs())
        token = token_for(sqlite_store, "red", Role.READ)
        with TuningClient(address, credentials, retry=NO_RETRIES, timeout_s=10, token=token) as known:
            assert list(known.list_tuning_jobs()) == []


def test_a_certificate_that_cannot_be_used_is_said_at_the_start(
    tmp_path: Path, sqlite_store: Store, files: ServerFiles, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    files.settings["tls_key"].write_bytes(trustme.CA().issue_cert("127.0.0.1").private_key_pem.bytes())
    with (
        pytest.raises(CannotListen, match="KEY_VALUES_MISMATCH"),
        running_api(tmp_path, sqlite_store, **files.settings),
    ):
        pass


def test_half_a_tls_setting_is_refused(files: ServerFiles) -> None:
    with pytest.raises(ValueError, match="tls_cert and tls_key are both needed"):
        Settings(tls_cert=files.settings["tls_cert"])
    with pytest.raises(ValueError, match="tls_client_ca needs"):
        Settings(tls_client_ca=files.client_ca)


def test_the_command_line_proves_itself_over_tls(tmp_path: Path, sqlite_store: Store, files: ServerFiles) -> None:
    with running_api(tmp_path, sqlite_store, **files.settings, authentication="on") as api:
        arguments = ["--server", api.server.address, "--tls-ca", str(files.client_ca), "list"]
        token = token_for(sqlite_store, "red", Role.READ)
        known = CliRunner().invoke(app, arguments, env={"HRNN_TUNER_TOKEN": token})
        assert (known.exit_code, known.stdout.strip()) == (ExitCode.OK, "no tuning jobs")
        nobody = CliRunner().invoke(app, arguments)
        assert nobody.exit_code == ExitCode.NOT_ALLOWED
        assert "TOKEN_MISSING" in nobody.stderr


def test_the_doctor_asks_over_tls_and_says_what_a_refusal_means(
    tmp_path: Path, sqlite_store: Store, files: ServerFiles
) -> None:
    with running_api(tmp_path, sqlite_store, **files.settings, authentication="on") as api:
        address, credentials = api.server.address, tls_credentials(files.client_ca)
        (known,) = doctor_api.check(Server(address, credentials, token_for(sqlite_store, "red", Role.READ)))
        assert (known.severity, known.text) == (Severity.OK, f"{address} serves; its version is {__version__}")
        (nobody,) = doctor_api.check(Server(address, credentials))
        assert nobody.severity is Severity.PROBLEM
        assert "answers, and refuses" in nobody.text
        assert "HRNN_TUNER_TOKEN" in nobody.advice
        (plain,) = doctor_api.check(Server(address))
        assert plain.severity is Severity.PROBLEM
        assert "with TLS or without" in plain.advice
