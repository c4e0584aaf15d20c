"""The root of the `hrnn-tuner` command: global options and the list of commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hrnn_tuner import __version__
from hrnn_tuner.cli.algorithm_command import algorithms
from hrnn_tuner.cli.demo_command import demo
from hrnn_tuner.cli.doctor_command import doctor
from hrnn_tuner.cli.exits import ErrorReportingGroup
from hrnn_tuner.cli.explain_command import explain
from hrnn_tuner.cli.logs_command import logs
from hrnn_tuner.cli.options import GlobalOptions
from hrnn_tuner.cli.recommend_command import recommend
from hrnn_tuner.cli.replay_command import replay
from hrnn_tuner.cli.serve_command import serve
from hrnn_tuner.cli.submit_command import submit
from hrnn_tuner.cli.token_commands import tokens_app
from hrnn_tuner.cli.training_job_commands import metrics, training_jobs
from hrnn_tuner.cli.tuning_job_commands import delete, describe, list_tuning_jobs, stop
from hrnn_tuner.cli.watch_command import watch

_TUNING = "Tuning jobs"
_RESULTS = "Results"
_SERVER = "Server"

app = typer.Typer(
    name="hrnn-tuner",
    cls=ErrorReportingGroup,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may hold what is read from users' files
    rich_markup_mode="rich",
)


def _print_version(wanted: bool) -> None:
    """Prints the version and ends."""
    if wanted:
        typer.echo(f"hrnn-tuner {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    server: Annotated[
        str, typer.Option(metavar="HOST:PORT", envvar="HRNN_TUNER_SERVER", help="Address of the gRPC API.")
    ] = "127.0.0.1:50051",
    token: Annotated[
        str | None,
        typer.Option(
            envvar="HRNN_TUNER_TOKEN", help="Token of the caller; better in the environment.", metavar="TOKEN"
        ),
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Encrypt; any other --tls option implies it.")] = False,
    tls_ca: Annotated[
        Path | None,
        typer.Option(envvar="HRNN_TUNER_CLIENT_TLS_CA", help="PEM of the server's authority; default: public ones."),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(envvar="HRNN_TUNER_CLIENT_TLS_CERT", help="PEM of the client's certificate.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(envvar="HRNN_TUNER_CLIENT_TLS_KEY", help="PEM of its key.")] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Tune the hyperparameters of HRNN recommenders on your own machines.

    Try it: 'hrnn-tuner demo'. Then 'hrnn-tuner serve' in one terminal and 'hrnn-tuner submit FILE --watch' in another.

    Results go to stdout, everything else to stderr. Exit codes:

      0  done
      1  unexpected error
      2  wrong usage or input; also what the server does not offer yet
      3  not found
      4  conflict: the name is taken, a quota is used up, or the state does not allow it
      5  the server is unavailable or does not answer in time
      6  the watched tuning job ended, but not as COMPLETED
      7  the server does not know the caller, or does not allow it this
    130  interrupted
    """
    context.obj = GlobalOptions(server=server, token=token, tls=tls, tls_ca=tls_ca, tls_cert=tls_cert, tls_key=tls_key)


app.command(rich_help_panel=_TUNING)(submit)
app.command(rich_help_panel=_TUNING)(watch)
app.command("list", rich_help_panel=_TUNING)(list_tuning_jobs)
app.command(rich_help_panel=_TUNING)(describe)
app.command(rich_help_panel=_TUNING)(stop)
app.command(rich_help_panel=_TUNING)(delete)
app.command(rich_help_panel=_RESULTS)(explain)
app.command(rich_help_panel=_RESULTS)(replay)
app.command(rich_help_panel=_RESULTS)(training_jobs)
app.command(rich_help_panel=_RESULTS)(metrics)
app.command(rich_help_panel=_RESULTS)(logs)
app.command(rich_help_panel=_RESULTS)(recommend)
app.command(rich_help_panel=_RESULTS)(algorithms)
app.command(rich_help_panel=_SERVER)(serve)
app.command(rich_help_panel=_SERVER)(demo)
app.add_typer(tokens_app, name="token", rich_help_panel=_SERVER)
app.command(rich_help_panel=_SERVER)(doctor)


def main() -> None:
    """Runs the command; the entry point of the package."""
    app()
