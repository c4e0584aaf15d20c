"""`hrnn-tuner doctor`: what it finds, and that one check hides no other."""

from __future__ import annotations

import json
import threading
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hrnn_tuner.cli.main import app
from hrnn_tuner.doctor import Check, Finding, Server, Severity, examine, gpu, storage, versions
from hrnn_tuner.doctor.contract import ok
from hrnn_tuner.doctor.versions import parts
from hrnn_tuner.settings import Settings


def severities(findings: list[Finding]) -> list[str]:
    return [finding.severity.value for finding in findings]


def test_a_check_that_fails_and_one_that_hangs_hide_no_other() -> None:
    hung = threading.Event()

    def fail() -> list[Finding]:
        raise OSError("no such\nhost")

    def hang() -> list[Finding]:
        hung.wait(60)
        return []

    checks = [
        Check("failing", fail, "mend it"),
        Check("hanging", hang, "restart it", limit_s=0.05),
        Check("fine", lambda: [ok("well")], ""),
    ]
    found = examine(checks)
    hung.set()
    assert found == [
        ("failing", Finding(Severity.PROBLEM, "OSError: no such host", "mend it")),
        ("hanging", Finding(Severity.PROBLEM, "no answer within 0.05 s", "restart it")),
        ("fine", Finding(Severity.OK, "well")),
    ]


@pytest.mark.parametrize(
    ("severity", "status"), [(Severity.OK, 0), (Severity.WARNING, 0), (Severity.PROBLEM, 1)], ids=lambda item: str(item)
)
def test_the_exit_code_is_1_when_there_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, severity: Severity, status: int
) -> None:
    check = Check("thing", lambda: [Finding(severity, "found", "do it")], "")
    monkeypatch.setattr("hrnn_tuner.cli.doctor_command.installation_checks", lambda *_: [check])
    printed = CliRunner().invoke(app, ["doctor"])
    assert printed.exit_code == status
    assert [line.split() for line in printed.stdout.splitlines()][1:] == [
        ["thing", severity.value, "found"],
        ["→", "do", "it"],
    ]
    document = CliRunner().invoke(app, ["doctor", "-o", "json"])
    assert document.exit_code == status
    assert json.loads(document.stdout) == {
        "healthy": status == 0,
        "findings": [{"check": "thing", "severity": severity.value, "text": "found", "advice": "do it"}],
    }


def test_an_embedded_server_is_examined_by_its_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Settings] = []

    def no_checks(settings: Settings, _: Server) -> list[Check]:
        seen.append(settings)
        return []

    monkeypatch.setattr("hrnn_tuner.cli.doctor_command.installation_checks", no_checks)
    monkeypatch.delenv("HRNN_TUNER_DATABASE_URL", raising=False)
    CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path)])
    (tmp_path / "hrnn-tuner.db").touch()
    CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path)])
    monkeypatch.setenv("HRNN_TUNER_DATABASE_URL", "sqlite:////elsewhere.db")
    CliRunner().invoke(app, ["doctor", "--data-dir", str(tmp_path)])
    embedded = f"sqlite:///{tmp_path / 'hrnn-tuner.db'}"
    assert [item.database_url for item in seen] == ["sqlite:///hrnn-tuner.db", embedded, "sqlite:////elsewhere.db"]
    assert [item.broker_url.split(":")[0] for item in seen] == ["amqp", "memory", "amqp"]


def test_data_that_cannot_be_listed_are_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert severities(list(storage.check_data(str(tmp_path)))) == ["OK"]
    ((_, finding),) = examine([Check("data", lambda: storage.check_data(f"{tmp_path}/missing"), "see that it exists")])
    assert (finding.severity, finding.advice) == (Severity.PROBLEM, "see that it exists")


def test_a_place_for_artifacts_is_written_to_and_left_as_it_was(tmp_path: Path) -> None:
    assert severities(list(storage.check_artifacts(str(tmp_path)))) == ["OK"]
    assert list(tmp_path.iterdir()) == []
    assert severities(list(storage.check_artifacts(f"{tmp_path}/missing"))) == ["PROBLEM"]
    assert not (tmp_path / "missing").exists()
    assert severities(list(storage.check_artifacts(""))) == ["WARNING"]


@pytest.mark.parametrize(("free_gib", "severity"), [(0.5, "PROBLEM"), (5, "WARNING"), (50, "OK")])
def test_a_disk_that_fills_up_is_seen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_gib: float, severity: str
) -> None:
    monkeypatch.setattr(
        "hrnn_tuner.doctor.storage.shutil.disk_usage", lambda _: type("Usage", (), {"free": int(free_gib * 2**30)})
    )
    settings = Settings(
        cache_dir=tmp_path / "not" / "there", artifacts_url=str(tmp_path), database_url="postgresql://x/y"
    )
    assert severities(list(storage.check_disks(settings))) == [severity] * 2


def test_a_missing_library_of_the_models_is_a_warning_and_not_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(name: str) -> str:
        if name == "botorch":
            raise PackageNotFoundError
        return "7.0.0"

    monkeypatch.setattr("hrnn_tuner.doctor.versions.version", installed)
    found = list(versions.check())
    assert severities(found) == ["OK", "WARNING"]
    assert "pip install 'hrnn-tuner[bayesian]'" in found[1].advice


def test_versions_are_compared_by_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parts("2.13.0+cpu") == (2, 13, 0)
    assert parts("0.2rc1") == (0,)
    assert parts("unknown") == ()
    assert severities(list(versions.check())) == ["OK"]
    monkeypatch.setattr("hrnn_tuner.doctor.versions.version", lambda _: "8.0.0")
    (finding,) = versions.check()
    assert finding.severity is Severity.PROBLEM
    assert "protobuf>=6.31.1,<8" in finding.advice


def answering(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> list[Finding]:
    """What the GPU check finds when Python answers so."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr("hrnn_tuner.doctor.gpu.sys.executable", str(program))
    return list(gpu.check())


def test_what_torch_says_about_gpus_is_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    devices = f'["H200", {100 * 2**30}, {139 * 2**30}], ["H200", {2**30}, {139 * 2**30}]'
    found = answering(monkeypatch, tmp_path, f'echo \'{{"torch": "2", "cuda": "12", "devices": [{devices}]}}\'')
    assert [(item.severity.value, item.text) for item in found] == [
        ("OK", "H200, 100.0 of 139.0 GiB free"),
        ("WARNING", "H200, 1.0 of 139.0 GiB free"),
    ]
    (missing,) = answering(monkeypatch, tmp_path, "echo \"ModuleNotFoundError: No module named 'torch'\" >&2; exit 1")
    assert missing.severity is Severity.WARNING
    (broken,) = answering(monkeypatch, tmp_path, "echo 'ImportError: libcudart.so.12' >&2; exit 1")
    assert (broken.severity, broken.text) == (Severity.PROBLEM, "torch cannot be used: ImportError: libcudart.so.12")


def test_a_driver_that_torch_does_not_use_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def without_devices(cuda: str) -> Finding:
        script = f'echo \'{{"torch": "2", "cuda": {cuda}, "devices": []}}\''
        (finding,) = answering(monkeypatch, tmp_path, script)
        return finding

    monkeypatch.setattr("hrnn_tuner.doctor.gpu.shutil.which", lambda _: None)
    assert without_devices("null").severity is Severity.OK
    monkeypatch.setattr("hrnn_tuner.doctor.gpu.shutil.which", lambda _: "/usr/bin/nvidia-smi")
    assert "CUDA" in without_devices("null").advice
    assert "nvidia-smi" in without_devices('"12"').advice
