"""The `askmask` command: only wiring. Every command lives in its own file."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Annotated, NoReturn, TextIO

import typer

from askmask.cli.author import author
from askmask.cli.browse import browse
from askmask.cli.build import build
from askmask.cli.build_groups import groups
from askmask.cli.compare import compare
from askmask.cli.complete import complete
from askmask.cli.convert import convert
from askmask.cli.data import data
from askmask.cli.decompose import decompose
from askmask.cli.doctor import doctor
from askmask.cli.evaluate import evaluate
from askmask.cli.evaluate_completer import evaluate_completer
from askmask.cli.leaderboard import leaderboard
from askmask.cli.mask_type import mask_type
from askmask.cli.models import models
from askmask.cli.predict import predict
from askmask.cli.segment import segment
from askmask.cli.serve import serve
from askmask.cli.stats import stats
from askmask.cli.train import train
from askmask.errors import AskmaskError, AskmaskWarning

__all__ = ["app", "main"]

_show_warning = warnings.showwarning

app = typer.Typer(
    name="askmask",
    help="Language-guided segmentation: say which mask you mean.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(segment)
app.command()(complete)
app.command()(mask_type)
app.command()(predict)
app.command()(evaluate)
app.command()(evaluate_completer)
app.command()(decompose)
app.command()(compare)
app.command()(leaderboard)
build.command()(groups)
app.add_typer(build)
app.add_typer(data)
app.command()(author)
app.command()(stats)
app.command()(browse)
app.command()(convert)
app.command()(train)
app.command()(serve)
app.command()(models)
app.command()(doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        import askmask

        typer.echo(f"askmask {askmask.__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Language-guided segmentation: say which mask you mean."""


def main() -> NoReturn:
    """Run the command line and leave with its exit code.

    0 done; 1 the work failed, with one line on stderr; 2 the command line was wrong; 130
    interrupted. `ASKMASK_DEBUG=1` adds the traceback of unexpected failures.
    """
    warnings.showwarning = _warn
    try:
        app(prog_name="askmask")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has left; nothing more can be said to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except AskmaskError as error:
        _fail(f"error: {error}")
    except Exception as error:
        if os.environ.get("ASKMASK_DEBUG") == "1":
            raise
        kind = type(error).__name__
        _fail(f"unexpected error: {kind}: {error} (please report; ASKMASK_DEBUG=1 tells more)")
    sys.exit(0)


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print our warnings as one line on stderr, those of others as Python does."""
    if issubclass(category, AskmaskWarning):
        typer.echo(f"askmask: {message}", err=True)
    else:
        _show_warning(message, category, filename, lineno, file, line)


def _fail(message: str) -> NoReturn:
    """Print `message` as one line on stderr and leave with exit code 1."""
    typer.echo("askmask: " + " ".join(message.splitlines()), err=True)
    sys.exit(1)
