"""Options and arguments that several commands share, and the way to the client."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import grpc
import typer

from hrnn_tuner.cli.exits import CommandError, ExitCode
from hrnn_tuner.client import TuningClient, tls_credentials


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
        token: The caller's; None without one.
        tls: Whether the connection is encrypted; any of the files means so too.
        tls_ca: PEM of the server's authority.
        tls_cert: PEM of the client's certificate.
        tls_key: PEM of its key.
    """

    server: str
    token: str | None = None
    tls: bool = False
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None

    def client(self) -> TuningClient:
        """Opens a client; use it in a ``with`` statement.

        Raises:
            CommandError: When the options do not go together, or a file cannot be read.
        """
        credentials = self.credentials()
        try:
            return TuningClient(self.server, credentials, token=self.token or None)
        except ValueError as error:
            raise CommandError(str(error), ExitCode.BAD_INPUT) from error

    def credentials(self) -> grpc.ChannelCredentials | None:
        """What an encrypted connection needs; None for one that is not.

        Raises:
            CommandError: When the options do not go together, or a file cannot be read.
        """
        if not (self.tls or any((self.tls_ca, self.tls_cert, self.tls_key))):
            return None
        try:
            return tls_credentials(self.tls_ca, cert=self.tls_cert, key=self.tls_key)
        except (ValueError, OSError) as error:
            raise CommandError(str(error), ExitCode.BAD_INPUT) from error


def options_of(context: typer.Context) -> GlobalOptions:
    """The options before the command."""
    options = context.find_object(GlobalOptions)
    assert options is not None  # the root command's callback always sets it
    return options


def connect(context: typer.Context) -> TuningClient:
    """Opens a client on the server that the command line names."""
    return options_of(context).client()
