"""Runs over folders: sentences asked about all their pictures, with the files of `predict`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from askmask.formats.askmask import write_queries
from askmask.formats.files import file_sha256
from askmask.models.segmenter import Segmenter
from askmask.runs.asking import AskedFolder
from askmask.runs.drawings import Drawings
from askmask.runs.engine import Manner, group
from askmask.runs.folder import RunFolder
from askmask.runs.predict import Crew, Engine, Progress, made_by, run_pictures
from askmask.runs.shard import Shard
from askmask.types import MaskType

__all__ = ["segment_pictures"]


def segment_pictures(
    segmenter: Segmenter,
    asked: AskedFolder,
    out: Path,
    *,
    mask_type: MaskType | None = None,
    overlays: bool = False,
    masks: bool = False,
    resume: bool = False,
    workers: int = 1,
    engine: Engine = "processes",
    shard: Shard | None = None,
    load: Callable[[], Segmenter] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Answer what is asked about pictures and keep queries and answers in a run folder.

    Beside the files of `predict` it has queries.jsonl, so that its predictions can be converted,
    drawn and scored. `predict` says what `resume` does and what happens to queries that fail; a
    picture that cannot even be opened stands in errors.jsonl only.

    Args:
        segmenter: the model.
        asked: what is asked, with paths that lead from `out`.
        out: run folder; new or empty unless `resume` is set.
        mask_type: the type of all answers; None lets each sentence decide.
        overlays: draw each answer over its picture, overlays/ID.png.
        masks: write each mask of each answer, masks/ID_0.png, ….
        resume: continue the run in `out`; start it when there is none.
        workers: processes that answer; with more than one, their order is as it comes.
        engine: what runs them.
        shard: the share of the pictures to answer about; None for all. queries.jsonl has all.
        load: makes the processes their model; None loads it by the segmenter's name.
        progress: called at the start and after each query.

    Returns:
        Progress at the end.

    Raises:
        OutputError: when `out` is in use by another run or cannot be written.
        ConfigError: when the run in `out` was begun with something else.
    """
    folder = RunFolder(out)
    drawings = Drawings(out / "overlays" if overlays else None, out / "masks" if masks else None)
    arguments = {"queries": str(folder.queries), "mask_type": mask_type}
    content = made_by(segmenter, "segment", arguments, _queries_sha256(asked))
    content["shard"] = None if shard is None else str(shard)
    content["drawings"] = {"overlays": overlays, "masks": masks}
    folder.begin(content, resume=resume)
    if not folder.queries.exists():  # also when a run was killed before it had written them
        write_queries(folder.queries, asked.queries)
    drawings.make_folders()
    pictures = group(asked.queries, out)
    return run_pictures(
        Crew(segmenter, workers, load, engine),
        pictures if shard is None else shard.of(pictures),
        folder,
        Manner(mask_type, drawings),
        progress,
        asked.unreadable,
    )


def _queries_sha256(asked: AskedFolder) -> str:
    """Return the hash that queries.jsonl has, or will have."""
    with TemporaryDirectory(prefix="askmask-") as workspace:
        draft = Path(workspace) / "queries.jsonl"
        write_queries(draft, asked.queries)
        return file_sha256(draft)
