"""`askmask segment` over folders and many pictures: a run folder instead of one answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

if TYPE_CHECKING:
    from askmask.models.segmenter import Segmenter
    from askmask.types import MaskType

__all__ = ["RunOptions", "segment_run"]


@dataclass(frozen=True)
class RunOptions:
    """Options that only runs have.

    Attributes:
        texts: sentences of the command line.
        prompts: file of sentences, one a line.
        overlays: whether answers are drawn over their pictures.
        masks: whether masks are written as PNG files.
        formats: formats of other tools to write.
        resume: whether a run is continued.
        workers: number of processes.
        engine: what runs them.
        shards: share to do, e.g. "2/8".
    """

    texts: Sequence[str] = ()
    prompts: Path | None = None
    overlays: bool = False
    masks: bool = False
    formats: Sequence[str] = ()
    resume: bool = False
    workers: int = 1
    engine: Literal["processes", "ray"] = "processes"
    shards: str | None = None

    @property
    def asks(self) -> bool:
        """Whether they say what to ask, so that a run is meant."""
        return bool(self.texts) or self.prompts is not None


def segment_run(
    paths: Sequence[Path],
    options: RunOptions,
    mask_type: MaskType | None,
    load: Callable[[], Segmenter],
    show_cost: Callable[[Segmenter], None],
    out: Path | None,
    as_json: bool,
) -> None:
    """Ask every sentence about every picture and print what became of it and what it cost."""
    from askmask.cli.run_outcome import parse_shard, print_outcome, shown_run
    from askmask.runs.asking import ask_pictures, find_pictures, read_sentences
    from askmask.runs.export import export_run
    from askmask.runs.segment import segment_pictures

    shard = parse_shard(options.shards)
    _check_formats(options.formats)
    folder = out or _folder_of(paths)
    texts = [*options.texts, *(read_sentences(options.prompts) if options.prompts else ())]
    asked = ask_pictures(find_pictures(paths, folder), texts, folder, mask_type)
    with shown_run(folder) as show:
        segmenter = load()
        end = segment_pictures(
            segmenter,
            asked,
            folder,
            mask_type=mask_type,
            overlays=options.overlays,
            masks=options.masks,
            resume=options.resume,
            workers=options.workers,
            engine=options.engine,
            shard=shard,
            load=load,
            progress=show,
        )
    show_cost(segmenter)
    if asked.unreadable:
        errors = folder / "errors.jsonl"
        typer.echo(f"{len(asked.unreadable):,} pictures cannot be opened: see {errors}", err=True)
    for target_format in options.formats:
        path, losses = export_run(folder, target_format)
        typer.echo(f"{path}", err=as_json)
        for line in losses.lines():
            typer.echo(line, err=True)
    print_outcome(folder, end, as_json=as_json, unreadable=len(asked.unreadable))
    if not end.total and asked.unreadable:
        raise typer.Exit(1)


def _folder_of(paths: Sequence[Path]) -> Path:
    """Where results go when nobody says: a folder named after the only path."""
    name = paths[0].resolve().stem if len(paths) == 1 else ""
    return Path("askmask-out") / (name or "pictures")


def _check_formats(formats: Sequence[str]) -> None:
    from askmask.errors import ConfigError
    from askmask.runs.export import check_export

    for target_format in formats:
        try:
            check_export(target_format)
        except ConfigError as error:
            raise typer.BadParameter(str(error)) from error
