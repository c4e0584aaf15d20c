"""`hrnn-tuner token create`, `list` and `revoke`: who may call the API. They work on the database, as an operator."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from hrnn_tuner.cli.exits import CommandError, ExitCode, say
from hrnn_tuner.cli.operator_database import operator_database
from hrnn_tuner.cli.options import OutputFormat, OutputOption
from hrnn_tuner.cli.output import console, table
from hrnn_tuner.cli.serve_command import DEFAULT_DATA_DIR
from hrnn_tuner.domain.access import DEFAULT_PROJECT, PROJECT_NAME_RULE, Role, is_project_name
from hrnn_tuner.domain.api_token import ApiToken, new_token
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.settings import Settings

if TYPE_CHECKING:
    from hrnn_tuner.store.tokens import TokenRepository

Result = TypeVar("Result")

tokens_app = typer.Typer(no_args_is_help=True, help="Create, list and revoke the tokens of API callers.")

_DURATION = re.compile(r"(?P<count>[1-9][0-9]{0,4})(?P<unit>[hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}

DataDirOption = Annotated[
    Path, typer.Option(help="Folder of an embedded server; HRNN_TUNER_DATABASE_URL has precedence.")
]


@tokens_app.command()
def create(
    project: Annotated[str, typer.Option(help="Project whose tuning jobs its owner sees.")] = DEFAULT_PROJECT,
    role: Annotated[
        Role,
        typer.Option(help="read: look; write: also create, stop and tag; admin: also delete."),
    ] = Role.WRITE,
    expires: Annotated[
        str | None, typer.Option(metavar="90d", help="Lifetime in hours (12h), days (90d) or weeks (4w).")
    ] = None,
    description: Annotated[str, typer.Option(help="Whose it is or what for.")] = "",
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
) -> None:
    """Create a token and print it. It is shown this once: only a hash of it is stored.

    For example:

        hrnn-tuner token create --project shop --role write --expires 90d
    """
    if not is_project_name(project):
        raise CommandError(f"--project: got {project!r}; allowed: {PROJECT_NAME_RULE}", ExitCode.BAD_INPUT)
    now = utc_now()
    token, text = new_token(project, role, now, expires_at=_expiry(expires, now), description=description.strip())
    _in_database(data_dir, lambda tokens: tokens.add(token))
    say(f"token {token.id} of project {project}, role {role.value}; it is not shown again:")
    typer.echo(text)


@tokens_app.command("list")
def list_tokens(
    project: Annotated[str | None, typer.Option(help="Only tokens of this project.")] = None,
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """List tokens: ids, never secrets."""
    found = _in_database(data_dir, lambda tokens: tokens.all(project))
    if output is OutputFormat.JSON:
        typer.echo(json.dumps([_shown(token) for token in found]))
        return
    result = table("id", "project", "role", "state", "created", "description")
    for token in found:
        created = f"{token.created_at:%Y-%m-%d %H:%M}"
        result.add_row(token.id, token.project, token.role.value, _state(token), created, token.description)
    console().print(result if found else "no tokens")


@tokens_app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the token, as `token list` shows it.")],
    data_dir: DataDirOption = DEFAULT_DATA_DIR,
) -> None:
    """Make a token worthless, within seconds. Repeating it changes nothing."""
    token = _in_database(data_dir, lambda tokens: tokens.revoke(token_id, utc_now()))
    if token is None:
        raise CommandError(f"there is no token {token_id!r}", ExitCode.NOT_FOUND)
    say(f"token {token.id} of project {token.project} is revoked")


def _in_database(data_dir: Path, work: Callable[[TokenRepository], Result]) -> Result:
    """Works on the tokens in one transaction."""
    try:
        # Imported here: the client is installed without the database's libraries.
        from hrnn_tuner.store import Store
    except ImportError as error:
        message = f"tokens need the database's libraries: pip install 'hrnn-tuner[api]' ({error})"
        raise CommandError(message, ExitCode.BAD_INPUT) from error
    store = Store(operator_database(Settings(), data_dir))
    try:
        with store.write() as tx:
            return work(tx.tokens)
    except ServiceUnavailable as error:
        text = f"{error}; is it there, with the schema of `python -m hrnn_tuner.store.migrate`?"
        raise CommandError(text, ExitCode.UNAVAILABLE) from error
    finally:
        store.close()


def _expiry(given: str | None, now: datetime) -> datetime | None:
    """When a token of this lifetime ends."""
    if given is None:
        return None
    match = _DURATION.fullmatch(given)
    if match is None:
        text = f"--expires: got {given!r}; allowed: 1 to 99999 and h, d or w, such as 12h, 90d, 4w"
        raise CommandError(text, ExitCode.BAD_INPUT)
    return now + int(match["count"]) * _UNITS[match["unit"]]


def _state(token: ApiToken) -> str:
    """Whether a token counts."""
    if token.revoked_at is not None:
        return "revoked"
    if token.expires_at is None:
        return "valid"
    return "expired" if token.expires_at <= utc_now() else f"until {token.expires_at:%Y-%m-%d %H:%M}"


def _shown(token: ApiToken) -> dict[str, Any]:
    """A token for scripts, without the hash of its secret."""
    fields = {name: value for name, value in asdict(token).items() if name != "secret_hash"}
    times = {name: value.isoformat() for name, value in fields.items() if isinstance(value, datetime)}
    return fields | times | {"role": token.role.value, "state": _state(token)}
