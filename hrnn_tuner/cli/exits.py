"""Exit codes, and how errors become them: one line per fact on stderr, never a traceback for a known error."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup

from hrnn_tuner.client import (
    AlreadyExistsError,
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidRequestError,
    NotFoundError,
    NotImplementedByServerError,
    PermissionDeniedError,
    ResourceExhaustedError,
    TuningError,
    UnavailableError,
)


class ExitCode(enum.IntEnum):
    """What a script can tell from `$?`; documented in `hrnn-tuner --help`."""

    OK = 0
    UNEXPECTED = 1
    BAD_INPUT = 2
    NOT_FOUND = 3
    CONFLICT = 4
    UNAVAILABLE = 5
    NOT_COMPLETED = 6
    NOT_ALLOWED = 7
    INTERRUPTED = 130


_BY_ERROR: Mapping[type[TuningError], ExitCode] = {
    InvalidRequestError: ExitCode.BAD_INPUT,
    NotImplementedByServerError: ExitCode.BAD_INPUT,
    NotFoundError: ExitCode.NOT_FOUND,
    AlreadyExistsError: ExitCode.CONFLICT,
    FailedPreconditionError: ExitCode.CONFLICT,
    ResourceExhaustedError: ExitCode.CONFLICT,
    PermissionDeniedError: ExitCode.NOT_ALLOWED,
    DeadlineExceededError: ExitCode.UNAVAILABLE,
    UnavailableError: ExitCode.UNAVAILABLE,
}


class CommandError(Exception):
    """A command cannot go on, for a reason that is not the server's.

    Attributes:
        code: The exit code.
    """

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    """Prints a line for people on stderr, so that stdout stays what a script parses."""
    typer.echo(text, err=True)


class ErrorReportingGroup(TyperGroup):
    """The root command: turns known errors of any command into messages and exit codes."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except TuningError as error:
            say(f"error: {error.message}" + (f" [{error.reason}]" if error.reason else ""))
            for violation in error.violations:
                say(f"  {violation.field}: {violation.description}")
            if isinstance(error, UnavailableError):
                say("  does it run where --server or $HRNN_TUNER_SERVER says? To start one: hrnn-tuner serve")
            raise typer.Exit(_BY_ERROR.get(type(error), ExitCode.UNEXPECTED)) from error
        except CommandError as error:
            say(f"error: {error}")
            raise typer.Exit(error.code) from error
        except KeyboardInterrupt as error:
            raise typer.Exit(ExitCode.INTERRUPTED) from error
