"""`askmask browse`: a static page to look through a benchmark folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["browse"]


def browse(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Benchmark folder.")],
    out: Annotated[
        Path | None, typer.Option(metavar="PAGE", help="Folder of the page [default: DIR/browse].")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    random: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only N random queries a split.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same queries.")] = 0,
) -> None:
    """Write pictures, masks and queries of DIR as a page that opens in any browser."""
    from askmask.atomic import staged_folder
    from askmask.browse import FILES, choose, write_page
    from askmask.cli.progress import progress_bar
    from askmask.errors import ConfigError
    from askmask.formats.askmask import read_queries
    from askmask.metrics.statistics import query_files

    files = query_files(folder)
    if split is not None and split not in files:
        raise ConfigError(f"{folder}: has the splits {', '.join(files)}, not {split!r}")
    chosen = [
        (name, path.parent, choose(list(read_queries(path)), random, seed))
        for name, path in files.items()
        if split in (None, name)
    ]
    page = out or folder / "browse"
    total = sum(len(queries) for _, _, queries in chosen)
    with staged_folder(page, FILES) as staging, progress_bar("queries", total) as progress:
        write_page(staging, folder.resolve().name, chosen, progress)
    typer.echo(str(page / "index.html"))
