"""The warning about half a last line, which `--allow-missing` leaves out."""

from __future__ import annotations

import typer

__all__ = ["warn_of_torn"]


def warn_of_torn(error: Exception) -> None:
    """Say on stderr that half a line is left out; the message's advice is for those who stop."""
    typer.echo(f"askmask: warning: {str(error).partition('; ')[0]}; it is left out", err=True)
