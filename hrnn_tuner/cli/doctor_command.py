"""`hrnn-tuner doctor`: looks at everything that an installation needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from hrnn_tuner.cli.exits import ExitCode
from hrnn_tuner.cli.options import OutputFormat, OutputOption, options_of
from hrnn_tuner.cli.output import console, table
from hrnn_tuner.cli.serve_command import DEFAULT_DATA_DIR
from hrnn_tuner.doctor import Finding, Server, Severity, examine, installation_checks
from hrnn_tuner.settings import Settings

_STYLES = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.PROBLEM: "bold red"}


def doctor(
    context: typer.Context,
    data_dir: Annotated[
        Path, typer.Option(help="Folder of an embedded server; HRNN_TUNER_DATABASE_URL has precedence.")
    ] = DEFAULT_DATA_DIR,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Check database, broker, data, artifacts, GPU, clock, disks and versions, and say what to do.

    Looks from where it runs, with the settings of its environment: run it where a service runs, or does not. Every
    check runs by itself and is given up after 5 seconds (30 for torch). The exit code is 1 when there is a problem.
    """
    options = options_of(context)
    server = Server(options.server, options.credentials(), options.token or None)
    found = examine(installation_checks(_settings(data_dir), server))
    problems = sum(finding.severity is Severity.PROBLEM for _, finding in found)
    if output is OutputFormat.JSON:
        documents = [
            {"check": name, "severity": item.severity.value, "text": item.text, "advice": item.advice}
            for name, item in found
        ]
        typer.echo(json.dumps({"healthy": problems == 0, "findings": documents}, indent=2))
    else:
        _print(found)
    if problems:
        raise typer.Exit(ExitCode.UNEXPECTED)


def _print(found: Sequence[tuple[str, Finding]]) -> None:
    """A line for each finding; what to do stands below what was found."""
    result = table("", "check", "", "found")
    for name, finding in found:
        severity = Text(finding.severity.value, style=_STYLES[finding.severity])
        result.add_row(name, severity, finding.text)
        if finding.advice:
            result.add_row("", "", f"→ {finding.advice}")
    console().print(result)


def _settings(data_dir: Path) -> Settings:
    """The environment's settings; without a database there, those of an embedded server whose folder exists."""
    settings = Settings()
    database = data_dir.resolve() / "hrnn-tuner.db"
    if "database_url" in settings.model_fields_set or not database.exists():
        return settings
    embedded = {
        "database_url": f"sqlite:///{database}",
        "broker_url": "memory://",
        "artifacts_url": str(database.parent / "artifacts"),
        "cache_dir": database.parent / "cache",
    }
    return settings.model_copy(update={k: v for k, v in embedded.items() if k not in settings.model_fields_set})
