"""Options and arguments that several commands share, and the way to the client."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated

import typer

from hrnn_tuner.client import TuningClient


class OutputFormat(enum.StrEnum):
    """How a command prints its result."""

    TEXT = "text"
    JSON = "json"


OutputOption = Annotated[
    OutputFormat,
    typer.Option("--output", "-o", help="'json' prints proto JSON on stdout, one document (watch: per line)."),
]
JobArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the tuning job.")]


@dataclass(frozen=True)
class GlobalOptions:
    """Options before the command.

    Attributes:
        server: host:port of the API.
    """

    server: str

    def client(self) -> TuningClient:
        """Opens a client; use it in a ``with`` statement."""
        return TuningClient(self.server)


def connect(context: typer.Context) -> TuningClient:
    """Opens a client on the server that the command line names."""
    options = context.find_object(GlobalOptions)
    assert options is not None  # the root command's callback always sets it
    return options.client()
