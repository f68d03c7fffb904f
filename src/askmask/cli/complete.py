"""`askmask complete`: the whole shape of things of which a mask shows the visible part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from numpy import uint8
    from numpy.typing import NDArray

    from askmask.models.completion import Completion
    from askmask.types import Masks

__all__ = ["complete"]


def complete(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="Picture: PNG, JPEG or WebP.")],
    mask: Annotated[
        list[str],
        typer.Argument(
            metavar="MASK.png|RLE.json|x,y ...",
            help="Visible part: mask picture, run-length code(s), or a point on the thing.",
        ),
    ],
    completer: Annotated[
        str, typer.Option(metavar="ID", help="Completer: completer-v1, convex-hull or a folder.")
    ] = "completer-v1",
    model: Annotated[
        str, typer.Option(metavar="ID", help="Model that finds the thing at a point.")
    ] = "embedded-v1",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for results.  [default: askmask-out/IMAGE]"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the prediction record as JSON.")
    ] = False,
) -> None:
    """Guess what is hidden of the things in IMAGE whose visible parts the masks show.

    Writes overlay.png (hidden parts hatched), mask-1.png, … (whole shapes), hidden-1.png, … and
    prediction.json into a folder.
    """
    import time

    from askmask.atomic import staged_folder
    from askmask.images import read_image
    from askmask.models.completion import load_completer

    pixels = read_image(image)
    modal = _read_masks(mask, pixels, model)
    folder = out or Path("askmask-out") / image.stem
    with staged_folder(folder, ours=r"(mask|hidden)-\d+\.png") as staging:
        loaded = load_completer(completer)
        start = time.perf_counter()
        done = loaded.complete_masks(pixels, modal)
        record = _record(image.stem, done, time.perf_counter() - start)
        _write_results(staging, pixels, done, record)
    if as_json:
        typer.echo(json.dumps(record))
    else:
        _print_summary(done, folder)


def _read_masks(arguments: list[str], pixels: NDArray[uint8], model_id: str) -> Masks:
    """Read the masks; only points need the model, which finds what is there."""
    import numpy as np

    from askmask.cli.references import Point, read_reference, resolve
    from askmask.models.registry import load
    from askmask.types import Masks

    size_hw = (pixels.shape[0], pixels.shape[1])
    given = [one for text in arguments for one in read_reference(text, size_hw, "MASK")]
    masks = [one for one in given if not isinstance(one, Point)]
    if len(masks) == len(given):
        return Masks.from_dense(np.stack(masks))
    segmenter = load(model_id)
    segmenter.set_image(pixels)
    found = resolve(given, segmenter, "MASK")
    return Masks.empty(size_hw) if found is None else found


def _record(picture: str, done: Completion, seconds: float) -> dict[str, Any]:
    """The prediction record, with the confidence as the score of each mask."""
    from askmask.formats.prediction import PredictedMask, Prediction
    from askmask.types import MaskType

    masks = tuple(
        PredictedMask(whole, round(float(sure), 4), modal=seen, amodal=whole)
        for whole, seen, sure in zip(
            done.amodal.rles, done.modal.rles, done.confidence, strict=True
        )
    )
    return Prediction(
        picture, mask_type=MaskType.AMODAL, masks=masks, seconds=round(seconds, 4)
    ).to_json()


def _write_results(
    folder: Path, pixels: NDArray[uint8], done: Completion, record: dict[str, Any]
) -> None:
    from askmask.images import write_png
    from askmask.overlay import draw_masks
    from askmask.types import Masks

    no_references = Masks.empty(done.modal.size_hw)
    drawn = draw_masks(pixels, done.amodal, done.modal, no_references)
    write_png(folder / "overlay.png", drawn, quickly=True)
    for number, (whole, hidden) in enumerate(zip(done.amodal, done.hidden, strict=True), 1):
        write_png(folder / f"mask-{number}.png", whole)
        write_png(folder / f"hidden-{number}.png", hidden)
    (folder / "prediction.json").write_text(json.dumps(record) + "\n", encoding="utf-8")


def _print_summary(done: Completion, folder: Path) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{len(done)} mask{'s' if len(done) != 1 else ''}[/bold], amodal")
    rows = zip(done.confidence, done.amodal.areas, done.hidden.areas, strict=True)
    for number, (sure, area, hidden) in enumerate(rows, 1):
        console.print(
            f"  {number}  confidence {sure:.2f}  {area:,} pixels, {hidden:,} of them hidden"
            f"  mask-{number}.png"
        )
    console.print(f"{escape(str(folder / 'overlay.png'))}")
