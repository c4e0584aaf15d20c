from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from hrnn_tuner.cli.main import app
from tests.unit.client.fake_service import FakeService, serving

Invoke = Callable[..., Any]


@pytest.fixture
def service() -> Iterator[FakeService]:
    with serving(FakeService()) as running:
        yield running


@pytest.fixture
def invoke(service: FakeService) -> Invoke:
    """Runs the command against the fake service; the result has exit_code, stdout and stderr."""

    def run(*arguments: str, stdin: str | None = None) -> Any:
        return CliRunner().invoke(app, ["--server", service.address, *arguments], input=stdin)

    return run
