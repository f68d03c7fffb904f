"""`askmask evaluate --report`: the page of an evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from askmask.formats.askmask import Prediction, QueryRecord
    from askmask.metrics import Report

__all__ = ["write_report"]


def write_report(
    out: Path,
    predictions: Path,
    report: Report,
    queries: Iterable[QueryRecord],
    answers: Iterable[Prediction],
    pictures: Path,
) -> None:
    """Write the page into `out` and say on stderr how many pictures could not be shown.

    Args:
        out: folder of the page.
        predictions: the predictions file, for the title.
        report: of the answers against the queries.
        queries: what was asked.
        answers: what was answered.
        pictures: folder that the queries' pictures are relative to.

    Raises:
        OutputError: when the page cannot be written; then `out` is what it was before.
    """
    from askmask.atomic import staged_folder
    from askmask.cli.progress import progress_bar
    from askmask.reports.page import FILES, SHOWN, write_page

    title = predictions.resolve().parent.name if predictions.stem == "predictions" else ""
    with staged_folder(out, FILES) as staging, progress_bar("pictures", 2 * SHOWN) as progress:
        problems = write_page(
            staging,
            title or predictions.name,
            report,
            queries,
            answers,
            pictures,
            progress=progress,
        )
    if problems:
        typer.echo(
            f"pictures that could not be read: {len(problems):,}, their masks stand on grey; "
            f"first: {problems[0]}",
            err=True,
        )
