from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hrnn_tuner.cli.exits import ExitCode
from hrnn_tuner.cli.main import app
from hrnn_tuner.domain.access import Role
from hrnn_tuner.domain.api_token import parse_token
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.store import Store
from hrnn_tuner.store.migrate import migrate
from tests.support.tuning import sqlite_url


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The operator's database."""
    migrate(sqlite_url(tmp_path))
    monkeypatch.setenv("HRNN_TUNER_DATABASE_URL", sqlite_url(tmp_path))
    return sqlite_url(tmp_path)


def token(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["token", *arguments])


def test_a_new_token_is_printed_once_and_stored_as_a_hash(url: str, tmp_path: Path) -> None:
    made = token("create", "--project", "shop", "--role", "read", "--expires", "90d", "--description", "nightly")
    text = made.stdout.strip()
    assert "not shown again" in made.stderr
    parsed = parse_token(text)
    assert parsed is not None
    store = Store(url)
    with store.read() as tx:
        (stored,) = tx.tokens.all()
    store.close()
    assert (stored.id, stored.project, stored.role) == (parsed[0], "shop", Role.READ)
    assert stored.opened_by(parsed[1], utc_now())
    assert stored.expires_at is not None
    assert (stored.expires_at - stored.created_at).days == 90
    assert parsed[1].encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("tuner.db*"))


def test_tokens_are_listed_without_secrets_and_revoked_by_their_ids(url: str) -> None:
    text = token("create", "--project", "shop").stdout.strip()
    token("create", "--project", "other")
    (shown,) = json.loads(token("list", "--project", "shop", "-o", "json").stdout)
    assert (shown["project"], shown["role"], shown["state"]) == ("shop", "write", "valid")
    assert "secret_hash" not in shown
    assert token("revoke", shown["id"]).exit_code == 0
    listed = token("list").stdout
    assert "revoked" in listed
    assert text.rpartition("_")[2] not in listed
    assert token("revoke", "0" * 12).exit_code == ExitCode.NOT_FOUND


@pytest.mark.parametrize(
    "arguments",
    [("--project", "Shop"), ("--project", "-x"), ("--project", "a" * 33), ("--expires", "0d"), ("--expires", "soon")],
)
def test_what_is_wrong_is_said_and_nothing_is_made(url: str, arguments: tuple[str, str]) -> None:
    refused = token("create", *arguments)
    assert refused.exit_code == ExitCode.BAD_INPUT
    assert repr(arguments[1]) in refused.stderr
    assert json.loads(token("list", "-o", "json").stdout) == []


def test_a_database_without_the_schema_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HRNN_TUNER_DATABASE_URL", sqlite_url(tmp_path))
    refused = token("create")
    assert refused.exit_code == ExitCode.UNAVAILABLE
    assert "python -m hrnn_tuner.store.migrate" in refused.stderr
    assert refused.stdout == ""


def test_the_command_line_sends_no_token_in_plaintext_to_another_machine() -> None:
    refused = CliRunner().invoke(app, ["--server", "tuner.example:1", "list"], env={"HRNN_TUNER_TOKEN": "hrnn_x"})
    assert refused.exit_code == ExitCode.BAD_INPUT
    assert "in plaintext" in refused.stderr
    assert "hrnn_x" not in refused.stderr


def test_half_a_client_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("x")
    refused = CliRunner().invoke(app, ["--tls-cert", str(tmp_path / "cert.pem"), "list"])
    assert refused.exit_code == ExitCode.BAD_INPUT
    assert "needs its key" in refused.stderr
