from __future__ import annotations

from pathlib import Path

import pytest

from hrnn_tuner.settings import SECRETS_DIR_VARIABLE, Settings


def test_a_setting_that_the_environment_does_not_have_is_read_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hrnn_tuner_database_url").write_text("postgresql+psycopg://u:p@db/tuner\n")
    monkeypatch.setenv(SECRETS_DIR_VARIABLE, str(tmp_path))
    monkeypatch.delenv("HRNN_TUNER_DATABASE_URL", raising=False)
    assert Settings().database_url == "postgresql+psycopg://u:p@db/tuner"


def test_the_environment_takes_precedence_over_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hrnn_tuner_broker_url").write_text("amqp://file/")
    monkeypatch.setenv(SECRETS_DIR_VARIABLE, str(tmp_path))
    monkeypatch.setenv("HRNN_TUNER_BROKER_URL", "amqp://environment/")
    assert Settings().broker_url == "amqp://environment/"


def test_a_folder_of_secrets_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRETS_DIR_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(ValueError, match=r"HRNN_TUNER_SECRETS_DIR is .*none.*; allowed: an existing folder"):
        Settings()
