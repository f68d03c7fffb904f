"""`askmask segment`: one picture, one sentence, the masks that fit; or a run over many."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from askmask.cli.placement import Device, Dtype, FourBit, PriceOption, parse_price, print_cost

if TYPE_CHECKING:
    from numpy import bool_, uint8
    from numpy.typing import NDArray

    from askmask.answers import PicturedAnswer
    from askmask.cli.references import Point
    from askmask.models.segmenter import Segmenter
    from askmask.types import Answer, MaskType, Query

__all__ = ["segment"]

_RUNS = "Many pictures"


class _MaskTypeOption(StrEnum):
    """Mask types of the command line; `auto` lets the sentence decide."""

    AUTO = "auto"
    MODAL = "modal"
    AMODAL = "amodal"
    HIDDEN = "hidden"


def segment(
    pictures: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE TEXT",
            help="Picture (PNG, JPEG or WebP) and sentence, in which [1], [2] name references. "
            "With --text or --prompts: any number of pictures and folders, and no sentence.",
        ),
    ],
    reference: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MASK.png|RLE.json|x,y",
            help="Reference [1], [2], … in order: mask picture, run-length code or point.",
        ),
    ] = None,
    mask_type: Annotated[
        _MaskTypeOption, typer.Option(help="Which mask; auto: the sentence says it.")
    ] = _MaskTypeOption.AUTO,
    model: Annotated[
        str, typer.Option(metavar="ID", help="Model; see askmask models.")
    ] = "embedded-v1",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for results.  [default: askmask-out/IMAGE]"),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="Ask this about all pictures.", rich_help_panel=_RUNS),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Ask each line of this file.", rich_help_panel=_RUNS),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in DIR.", rich_help_panel=_RUNS)
    ] = False,
    workers: Annotated[
        int,
        typer.Option(min=1, help="Processes, one thread each if many.", rich_help_panel=_RUNS),
    ] = 1,
    engine: Annotated[
        Literal["processes", "ray"],
        typer.Option(help="What runs them: here, or a cluster.", rich_help_panel=_RUNS),
    ] = "processes",
    shards: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Do only the I-th of N shares.", rich_help_panel=_RUNS),
    ] = None,
    overlays: Annotated[
        bool, typer.Option("--overlays", help="Draw every answer.", rich_help_panel=_RUNS)
    ] = False,
    masks: Annotated[
        bool, typer.Option("--masks", help="Write every mask as PNG.", rich_help_panel=_RUNS)
    ] = False,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help="Also write coco, labelme, yolo, parquet, …; repeatable.",
            rich_help_panel=_RUNS,
        ),
    ] = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    four_bit: FourBit = False,
    price: PriceOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the prediction record as JSON.")
    ] = False,
) -> None:
    """Segment in IMAGE what TEXT asks for; write overlay, masks and prediction into a folder.

    With --text or --prompts, ask every sentence about every picture and write a run folder.
    """
    from askmask.cli.segment_run import RunOptions, segment_run
    from askmask.models.registry import load as load_model

    forced = _forced(mask_type)
    load = partial(load_model, model, device=device, dtype=dtype, four_bit=four_bit)
    show_cost = partial(print_cost, price=parse_price(price))
    options = RunOptions(
        texts=text or (),
        prompts=prompts,
        overlays=overlays,
        masks=masks,
        formats=formats or (),
        resume=resume,
        workers=workers,
        engine=engine,
        shards=shards,
    )
    if options.asks:
        if reference:
            raise typer.BadParameter("--reference is a mask of one picture: leave --text out")
        paths = [Path(path) for path in pictures]
        segment_run(paths, options, forced, load, show_cost, out, as_json)
        return
    if options != RunOptions():
        raise typer.BadParameter("the options of runs need --text or --prompts: what is asked")
    if len(pictures) != 2:
        raise typer.BadParameter(
            f"expected IMAGE TEXT, got {len(pictures)} arguments; ask about many pictures with "
            "--text TEXT or --prompts FILE"
        )
    _segment_one(
        Path(pictures[0]), pictures[1], reference or [], forced, load, show_cost, out, as_json
    )


def _forced(option: _MaskTypeOption) -> MaskType | None:
    from askmask.types import MaskType

    return None if option is _MaskTypeOption.AUTO else MaskType(option)


def _segment_one(
    image: Path,
    text: str,
    reference: list[str],
    mask_type: MaskType | None,
    load: Callable[[], Segmenter],
    show_cost: Callable[[Segmenter], None],
    out: Path | None,
    as_json: bool,
) -> None:
    """Answer one sentence about one picture."""
    from askmask.answers import ANSWER_FILES
    from askmask.atomic import staged_folder
    from askmask.images import read_image

    pixels = read_image(image)
    references = _read_references(reference, (pixels.shape[0], pixels.shape[1]))
    query = _query_with_stand_ins(text, references, mask_type)
    folder = out or Path("askmask-out") / image.stem
    with staged_folder(folder, ours=ANSWER_FILES) as staging:
        segmenter = load()
        answer = _ask(segmenter, pixels, query, references)
        show_cost(segmenter)
        answer.write(staging, image.stem)
    if as_json:
        typer.echo(json.dumps(answer.record(image.stem).to_json()))
    else:
        _print_summary(answer, folder)


def _read_references(
    arguments: list[str], size_hw: tuple[int, int]
) -> list[Point | NDArray[bool_]]:
    from askmask.cli.references import read_reference

    return [item for argument in arguments for item in read_reference(argument, size_hw)]


def _query_with_stand_ins(
    text: str, references: list[Point | NDArray[bool_]], mask_type: MaskType | None
) -> Query:
    """Check the sentence before the model is loaded; blank masks stand in for the references."""
    import numpy as np

    from askmask.types import Masks, Query

    stand_ins = Masks.from_dense(np.zeros((len(references), 1, 1), bool)) if references else None
    return Query(text, stand_ins, mask_type)


def _ask(
    segmenter: Segmenter,
    pixels: NDArray[uint8],
    query: Query,
    references: list[Point | NDArray[bool_]],
) -> PicturedAnswer:
    """Answer the query with its references in place of the stand-ins."""
    from dataclasses import replace

    from askmask.answers import PicturedAnswer
    from askmask.cli.references import resolve

    segmenter.set_image(pixels)
    query = replace(query, references=resolve(references, segmenter))
    return PicturedAnswer.of(segmenter.answer(query), pixels, query)


def _print_summary(answer: Answer, folder: Path) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    share = answer.mask_type_probability[answer.mask_type]
    found = (
        f"{len(answer)} mask{'s' if len(answer) != 1 else ''}" if len(answer) else "nothing fits"
    )
    took = "" if answer.seconds is None else f" [dim]in {answer.seconds:.2f} s[/dim]"
    console.print(f"[bold]{found}[/bold], {answer.mask_type} ({share:.0%}){took}")
    if answer.unsure is not None:
        console.print(f"[yellow]unsure[/yellow]: {escape(answer.unsure)}")
    for number, (score, area) in enumerate(zip(answer.scores, answer.masks.areas, strict=True), 1):
        console.print(f"  {number}  score {score:.2f}  {area:,} pixels  mask-{number}.png")
    console.print(f"{escape(str(folder / 'overlay.png'))}")
