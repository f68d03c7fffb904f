"""Benchmark folders of scenes in 3D, made by several processes.

Scenes are made in chunks, each by a fresh process: a renderer only ever grows, and its frames
depend on those before. So the bytes do not depend on the number of processes, and a build that was
interrupted goes on after its last whole chunk.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from askmask.atomic import atomic_write
from askmask.errors import AskmaskError, ConfigError, OutputError
from askmask.formats.askmask import write_dataset_json, write_entities
from askmask.images import write_png
from askmask.pantry.build import claim_folder, record_from_scene
from askmask.pantry.objects.store import AssetStore
from askmask.pantry.render.filament import require_driver
from askmask.pantry.scene import Scene
from askmask.pantry.splits.definition import SEEDS_PER_SPLIT, Split
from askmask.pantry.world.splits import surfaces_of, troupe_of

__all__ = ["CHUNK", "build_pantry"]

CHUNK = 40
"""Scenes that one process makes."""

_PARTS = "parts"


@dataclass(frozen=True)
class _Plan:
    """The arguments that decide every byte of a folder."""

    split: Split
    height: int
    width: int
    objects: str
    format: str = "askmask-pantry/2"


@dataclass(frozen=True)
class _Job:
    """One chunk: scenes `start` to `stop` of a split."""

    out: Path
    objects: Path
    plan: _Plan
    start: int
    stop: int
    alone: bool

    @property
    def part(self) -> Path:
        return self.out / _PARTS / f"{self.start:06d}.jsonl"


def build_pantry(
    out: Path,
    split: Split,
    *,
    objects: Path,
    size_hw: tuple[int, int] = (480, 640),
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Render the scenes of a split into a benchmark folder; `ask_split` adds the queries.

    Args:
        out: folder to make, or one that the same arguments began and did not finish.
        split: one of `SPLITS`, perhaps with fewer scenes.
        objects: folder of an asset store.
        size_hw: height and width of the pictures in pixels.
        workers: processes; None for one a core.
        progress: called with the number of finished scenes after each of them.

    Raises:
        ConfigError: when an argument is out of its range.
        DataError: when `objects` is no asset store, or lacks what the split needs.
        MissingExtraError: when mujoco or the Vulkan driver is missing.
        OutputError: when `out` holds something else or cannot be written.
    """
    if not 1 <= split.scenes <= SEEDS_PER_SPLIT or min(size_hw) < 64:
        raise ConfigError(
            f"build pantry: expected 1 to {SEEDS_PER_SPLIT} scenes and sides of 64 pixels or more, "
            f"got {split.scenes} and {size_hw}"
        )
    require_driver()
    store = AssetStore(objects)
    troupe_of(split, store.assets)
    plan = _Plan(split, *size_hw, objects=store.digest)
    described = asdict(plan)
    claim_folder(out, {**described.pop("split"), **described})
    entities = out / f"entities-{split.name}.jsonl"
    if entities.is_file() and (out / "dataset.json").is_file():
        return  # finished before
    (out / _PARTS).mkdir(exist_ok=True)
    workers = workers or os.cpu_count() or 1
    jobs = [
        _Job(out, objects, plan, start, min(start + CHUNK, split.scenes), workers == 1)
        for start in range(0, split.scenes, CHUNK)
    ]
    _run(jobs, workers, progress or (lambda done: None))
    with atomic_write(entities) as file:
        for job in jobs:
            file.write(job.part.read_bytes())
    with atomic_write(out / "ATTRIBUTION.md") as file:
        file.write((objects / "ATTRIBUTION.md").read_bytes())
    write_dataset_json(
        out,
        name=f"pantry-{split.name}",
        license="CC-BY-4.0; 3D models as in ATTRIBUTION.md",
        source=f"askmask build pantry --split {split.name} --count {split.scenes}",
    )
    shutil.rmtree(out / _PARTS)  # all lines are in the entities file now


def _run(jobs: list[_Job], workers: int, progress: Callable[[int], None]) -> None:
    """Make all chunks that are not there yet, at most `workers` at a time."""
    context = get_context("spawn")
    done = sum(job.stop - job.start for job in jobs if job.part.is_file())
    waiting = [job for job in jobs if not job.part.is_file()]
    running: dict[Any, Any] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(
                    target=_make_chunk, args=(waiting.pop(0), sender), daemon=True
                )
                process.start()
                sender.close()
                running[receiver] = process
            for receiver in _ready(list(running)):
                done += _heard(receiver, running)
                progress(done)
    finally:
        for process in running.values():
            process.terminate()
            process.join()


def _ready(receivers: list[Any]) -> list[Any]:
    from multiprocessing.connection import wait

    return list(wait(receivers))


def _heard(receiver: Any, running: dict[Any, Any]) -> int:
    """Take one message: scenes finished. The end of a process is the end of its pipe."""
    try:
        message = receiver.recv()
    except EOFError:
        process = running.pop(receiver)
        process.join()
        if process.exitcode != 0:
            raise OutputError(
                f"build pantry: a process ended with exit code {process.exitcode}; "
                "with too little memory use fewer workers, then repeat the command to go on"
            ) from None
        return 0
    if isinstance(message, AskmaskError):
        raise message
    return int(message)


def _make_chunk(job: _Job, sender: Any) -> None:
    """Make one chunk and leave at once: the driver does not survive a normal end."""
    # The driver tells its version on stdout, which belongs to our caller.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if not job.alone:
        # One thread a process: with more, processes wait for each other.
        os.environ["LP_NUM_THREADS"] = "1"
    status = 0
    try:
        write_entities(job.part, (_written(job, scene, sender) for scene in _scenes(job)))
    except AskmaskError as error:
        sender.send(error)
    except BaseException:
        import traceback

        traceback.print_exc()
        status = 1
    finally:
        sender.close()
        os._exit(status)


def _scenes(job: _Job) -> Iterator[Scene]:
    from askmask.pantry.world.making import WorldSettings, make_views
    from askmask.pantry.world.studio import Studio

    split, size_hw = job.plan.split, (job.plan.height, job.plan.width)
    store = AssetStore(job.objects)
    studio = Studio(store, size_hw)
    troupe, settings = troupe_of(split, store.assets), WorldSettings(textures=surfaces_of(split))
    for seed in split.seeds[job.start : job.stop]:
        yield from make_views(
            studio, troupe, seed, size_hw, settings, views=split.cameras, shown=[split.view]
        )


def _written(job: _Job, scene: Scene, sender: Any) -> Any:
    """Write the picture of a scene; its entity line."""
    view = job.plan.split.view
    name = f"images/{scene.seed}-{view}.png"
    write_png(job.out / name, scene.image)
    sender.send(1)
    record = record_from_scene(scene, name)
    return replace(record, extra={**record.extra, "view": view})
