from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Invoke


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replaces the composition root; gives the arguments it was called with."""
    calls: list[dict[str, Any]] = []

    def run_embedded(**arguments: Any) -> None:
        if arguments["data_dir"].name == "in-use":
            raise BlockingIOError("in-use is in use by process 7")
        calls.append(arguments)
        arguments["ready"]("127.0.0.1:12345")

    root = types.ModuleType("hrnn_tuner.cli.serve")
    root.run_embedded = run_embedded  # type: ignore[attr-defined]
    root.CannotServe = BlockingIOError  # type: ignore[attr-defined]
    monkeypatch.setattr("hrnn_tuner.cli.serve_command.configure_logging", lambda **_: None)  # it is global
    monkeypatch.setitem(sys.modules, "hrnn_tuner.cli.serve", root)
    return calls


def test_serve_has_defaults_for_one_machine(
    calls: list[dict[str, Any]], invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke("serve")
    assert result.exit_code == 0
    assert "listening on 127.0.0.1:12345" in result.stderr
    (call,) = calls
    del call["ready"]
    assert call == {
        "data_dir": tmp_path / ".hrnn-tuner",
        "listen": "127.0.0.1:50051",
        "slots": 1,
        "data_prefixes": (str(tmp_path),),
    }


def test_serve_passes_on_what_it_is_told(calls: list[dict[str, Any]], invoke: Invoke, tmp_path: Path) -> None:
    invoke(
        *("serve", "--data-dir", str(tmp_path), "--listen", "0.0.0.0:1", "--slots", "3"),
        *("--data-prefix", "/data", "--data-prefix", "s3://bucket/"),
    )
    (call,) = calls
    assert (call["data_dir"], call["listen"], call["slots"]) == (tmp_path, "0.0.0.0:1", 3)
    assert call["data_prefixes"] == ("/data", "s3://bucket/")


def test_serve_without_the_services_says_what_to_install(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hrnn_tuner.cli.serve", None)
    result = invoke("serve")
    assert result.exit_code == 2
    assert "pip install 'hrnn-tuner[all]'" in result.stderr


def test_a_folder_that_is_in_use_is_a_conflict(calls: list[dict[str, Any]], invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("serve", "--data-dir", str(tmp_path / "in-use"))
    assert result.exit_code == 4
    assert "in use by process 7" in result.stderr
