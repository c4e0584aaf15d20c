"""The database of commands that operators run beside the services, which ask no API."""

from __future__ import annotations

from pathlib import Path

from hrnn_tuner.cli.exits import CommandError, ExitCode
from hrnn_tuner.settings import Settings


def operator_database(settings: Settings, data_dir: Path) -> str:
    """The database's URL: the operator's setting, or the file in an embedded server's folder."""
    if "database_url" in settings.model_fields_set:
        return settings.database_url
    path = data_dir.resolve() / "hrnn-tuner.db"
    if not path.exists():
        text = f"{path} does not exist: name the folder of an embedded server, or set HRNN_TUNER_DATABASE_URL"
        raise CommandError(text, ExitCode.NOT_FOUND)
    return f"sqlite:///{path}"
