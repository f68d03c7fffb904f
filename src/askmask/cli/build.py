"""`askmask build`: make benchmark folders of scenes and of queries."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from askmask.cli.progress import progress_bar

__all__ = ["build"]

build = typer.Typer(
    name="build",
    help="Build scenes with exact masks, and queries about them.",
    no_args_is_help=True,
)

_Out = Annotated[Path, typer.Option(metavar="DIR", help="Benchmark folder to write.")]
_Split = Annotated[str, typer.Option(help="Name of the split.")]
_Seed = Annotated[int, typer.Option(min=0, help="Same seed, same result.")]
_Deb = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Debian package sweethome3d-furniture; default: apt-get downloads it.",
    ),
]


class _Pool(StrEnum):
    """Wordings are disjoint, so that a test measures language that was not trained on."""

    TRAIN = "train"
    TEST = "test"


@build.command()
def scenes(
    out: _Out,
    count: Annotated[int, typer.Option(min=1, help="Number of scenes.")] = 100,
    seed: _Seed = 0,
    split: _Split = "val",
    height: Annotated[int, typer.Option(min=64, max=2160, help="Pixels.")] = 480,
    width: Annotated[int, typer.Option(min=64, max=3840, help="Pixels.")] = 640,
) -> None:
    """Compose scenes with exact modal and amodal masks."""
    from askmask.pantry.build import build_scenes

    with progress_bar("scenes", count) as progress:
        build_scenes(
            out,
            count=count,
            seed=seed,
            split=split,
            size_hw=(height, width),
            progress=progress,
        )
    typer.echo(str(out / f"entities-{split}.jsonl"))


@build.command()
def queries(
    out: _Out,
    per_image: Annotated[
        int, typer.Option(min=1, max=1000, help="Queries a picture, at most.")
    ] = 10,
    seed: _Seed = 0,
    split: _Split = "val",
    pool: Annotated[_Pool, typer.Option(help="Wordings to use.")] = _Pool.TEST,
) -> None:
    """Write sentences with exact answers about the scenes of a folder."""
    from askmask.pantry.language.folder import build_queries_folder

    with progress_bar("pictures", None) as progress:
        build_queries_folder(
            out, split=split, per_image=per_image, seed=seed, pool=pool.value, progress=progress
        )
    typer.echo(str(out / f"queries-{split}.jsonl"))


@build.command()
def objects(
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder to write; default: in the cache.")
    ] = None,
    deb: _Deb = None,
    household: Annotated[
        bool, typer.Option(help="Include the household things of the Debian package.")
    ] = True,
) -> None:
    """Gather the 3D objects that the pantry is made of."""
    from askmask.pantry.objects.build import build_objects, default_folder

    folder = out or default_folder()
    with progress_bar("objects", None) as progress:
        build_objects(folder, deb=deb, with_household=household, progress=progress)
    typer.echo(str(folder / "objects.json"))


@build.command()
def pantry(
    out: _Out,
    split: _Split = "val",
    count: Annotated[
        int | None, typer.Option(min=1, help="Number of scenes; default: the whole split.")
    ] = None,
    height: Annotated[int, typer.Option(min=64, max=2160, help="Pixels.")] = 480,
    width: Annotated[int, typer.Option(min=64, max=3840, help="Pixels.")] = 640,
    objects: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of 'askmask build objects'; default: in the cache."
        ),
    ] = None,
    deb: _Deb = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; default: one a core.")
    ] = None,
) -> None:
    """Build a split of the pantry: scenes in 3D, balanced queries, checksums.

    Gathers the objects first if need be.
    """
    from askmask.pantry.objects.build import build_objects, default_folder
    from askmask.pantry.render.filament import require_driver
    from askmask.pantry.splits import ask_split, is_published, split_named
    from askmask.pantry.world.build import build_pantry

    chosen = split_named(split).of_size(count)
    require_driver()
    folder = objects or default_folder()
    if not (folder / "objects.json").is_file():
        with progress_bar("objects", None) as progress:
            build_objects(folder, deb=deb, progress=progress)
    with progress_bar("scenes", chosen.scenes) as progress:
        build_pantry(
            out,
            chosen,
            objects=folder,
            size_hw=(height, width),
            workers=workers,
            progress=progress,
        )
    with progress_bar("pictures asked about", chosen.scenes) as progress:
        ask_split(out, chosen, progress=progress)
    typer.echo(_VERDICTS[is_published(out, split)], err=True)
    typer.echo(str(out / f"queries-{split}.jsonl"))


_VERDICTS = {
    True: "checksums: as published",
    False: "checksums: others than those published for the whole split, so figures on this folder "
    "are not to be set beside published ones; see docs/pantry.md",
    None: "checksums: none are published for this split",
}
