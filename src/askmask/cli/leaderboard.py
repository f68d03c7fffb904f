"""`askmask leaderboard`: a page of evaluated runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["leaderboard"]


def leaderboard(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUNS…", help="Folders with metrics.json, of runs or other codes."),
    ],
    out: Annotated[Path, typer.Option(metavar="SITE", help="Folder of the page.")],
    rank_by: Annotated[
        str | None,
        typer.Option(metavar="METRIC", help="What decides the order [default: the first metric]."),
    ] = None,
    published: Annotated[
        str | None,
        typer.Option(
            metavar="BENCHMARK", help="Also show what papers print, e.g. 'R2SM D2SA', apart."
        ),
    ] = None,
) -> None:
    """Rank RUNS on a page, and in leaderboard.json, where protocol and data are the same."""
    from askmask.atomic import staged_folder
    from askmask.reports.leaderboard import FILES, group_runs, write_leaderboard
    from askmask.reports.published import published as published_rows

    rows = [] if published is None else published_rows(published)
    groups = group_runs(runs, rank_by)
    with staged_folder(out, FILES) as staging:
        write_leaderboard(staging, groups, rows)
    if len(groups) > 1:
        typer.echo(
            f"{len(groups)} tables: protocol or data differ, so runs of different tables are not "
            "ranked together",
            err=True,
        )
    for group in groups:
        if group.unranked is not None:
            typer.echo(f"{group.title}: not ranked, {group.unranked}", err=True)
    typer.echo(str(out / "index.html"))
