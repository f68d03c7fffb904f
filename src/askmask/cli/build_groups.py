"""`askmask build groups`: mask groups from annotated pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["groups"]


def groups(
    source: Annotated[
        Path,
        typer.Argument(
            help="Annotations of COCO, LVIS, COCOA, … (.json) or askmask entities (.jsonl)."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Benchmark folder to write.")],
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the pictures; default: the source's own."),
    ] = None,
    segmentation: Annotated[
        Literal["modal", "amodal"],
        typer.Option(help="What that key of a COCO file holds; amodal for COCOA-cls, D2SA, KINS."),
    ] = "modal",
    per_image: Annotated[
        int, typer.Option(min=1, max=1000, help="Groups a picture, at most.")
    ] = 10,
    references: Annotated[
        float, typer.Option(min=0, max=1, help="Share of prompts with reference masks.")
    ] = 0.28,
    no_target: Annotated[
        float, typer.Option(min=0, max=1, help="Share of prompts that nothing fits.")
    ] = 0.05,
    complete: Annotated[
        bool,
        typer.Option("--complete", help="Every object is annotated: prompts may say 'objects'."),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same result.")] = 0,
    split: Annotated[str, typer.Option(help="Name of the split.")] = "val",
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Write prompts for groups of objects, with exact answers, as MaskGroups-2M has them."""
    from askmask.authoring.mask_groups import GroupsPlan, build_groups_folder
    from askmask.cli.progress import progress_bar

    plan = GroupsPlan(per_image, references, no_target, complete, seed)
    with progress_bar("pictures", None) as progress:
        report = build_groups_folder(
            source,
            out,
            plan=plan,
            split=split,
            images=images,
            segmentation=segmentation,
            progress=progress,
        )
    if as_json:
        typer.echo(json.dumps(report.to_json()))
        return
    typer.echo(
        f"{report.queries:,} groups over {report.pictures:,} pictures, {report.with_references:,} "
        f"with references, {report.no_target:,} without target, {report.unclear:,} unclear dropped",
        err=True,
    )
    typer.echo(str(out / f"queries-{split}.jsonl"))
