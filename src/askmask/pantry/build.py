"""Benchmark folders of composed scenes, and the way back from their records to scenes.

A build is a function of its arguments: interrupted and started again, it keeps the pictures that
are already right and ends in the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.errors import ConfigError, DataError, ImageError, OutputError
from askmask.formats.askmask import Entity, EntityRecord, write_dataset_json, write_entities
from askmask.formats.files import read_json, write_json
from askmask.images import read_image, write_png
from askmask.pantry.scene import Scene, SceneObject

if TYPE_CHECKING:
    from askmask.pantry.sprites import SpriteBank

__all__ = [
    "TRAINING_SEEDS",
    "build_scenes",
    "claim_folder",
    "entity_from_object",
    "record_from_scene",
    "scene_from_record",
    "write_picture",
]

TRAINING_SEEDS = 1 << 40
"""First seed of the scenes that models are trained on; no folder is built from here on."""

_PLAN = "build.json"
"""File that says from which arguments a folder is built; written before anything else."""

_MAIN_COLOUR = 0.6
"""Share of the visible surface from which a colour is the main one."""

_MAX_PLAN_BYTES = 10_000


@dataclass(frozen=True)
class _Plan:
    """The arguments that decide every byte of a folder."""

    count: int
    seed: int
    split: str
    height: int
    width: int
    format: str = "askmask-scenes/1"


def build_scenes(
    out: Path,
    *,
    count: int,
    seed: int,
    split: str = "val",
    size_hw: tuple[int, int] = (480, 640),
    progress: Callable[[int], None] | None = None,
    bank: SpriteBank | None = None,
) -> None:
    """Compose scenes into a benchmark folder.

    Scene i is made from the seed `seed + i`, which is also its picture's name, so folders whose
    ranges of seeds overlap share pictures.

    Args:
        out: folder to make, or one that the same arguments began and did not finish.
        count: number of scenes, at least 1.
        seed: seed of the first scene, not negative.
        split: name of the split, as in "entities-val.jsonl".
        size_hw: height and width of the pictures in pixels.
        progress: called with the number of finished scenes after each of them.
        bank: where the sprites come from; None for the bank that ships in the package.

    Raises:
        ConfigError: when an argument is out of its range.
        OutputError: when `out` holds something else or cannot be written.
    """
    if seed + count > TRAINING_SEEDS:
        raise ConfigError(
            f"build scenes: seeds from {TRAINING_SEEDS} on are for training, got seed {seed} and "
            f"count {count}; choose smaller ones"
        )
    if count < 1 or seed < 0 or min(size_hw) < 16 or not re.fullmatch(r"[\w-]+", split):
        raise ConfigError(
            "build scenes: expected count of 1 or more, seed of 0 or more, sides of 16 pixels or "
            f"more and a split in letters, digits and hyphens, got count {count}, seed {seed}, "
            f"size {size_hw} and split {split!r}"
        )
    plan = _Plan(count, seed, split, *size_hw)
    claim_folder(out, asdict(plan))
    if bank is None:
        from askmask.pantry.sprites import SpriteBank

        bank = SpriteBank.load()
    records = _build_pictures(out, plan, bank, progress)
    write_entities(out / f"entities-{split}.jsonl", records)
    write_dataset_json(
        out,
        name=f"pantry-{split}-{seed}-{count}",
        license="CC-BY-4.0",
        source=f"askmask build scenes --count {count} --seed {seed} --split {split}",
    )


def claim_folder(out: Path, wanted: Mapping[str, Any]) -> None:
    """Write a plan into a new or empty folder, or check that it is the plan of this one.

    Args:
        out: folder to make, or one that the same plan began and did not finish.
        wanted: what decides every byte of the folder; JSON values.

    Raises:
        OutputError: when `out` holds something else or cannot be written.
    """
    path = out / _PLAN
    if path.is_file():
        found = read_json(path, _MAX_PLAN_BYTES)
        if found != wanted:
            other = ", ".join(
                f"{key} {found.get(key)!r} not {value!r}"
                for key, value in wanted.items()
                if found.get(key) != value
            )
            raise OutputError(
                f"{out}: holds scenes made from other arguments ({other}); "
                "choose another folder or repeat those arguments"
            )
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(
            f"{out}: expected a new or empty folder, or one with {_PLAN}; choose another folder"
        )
    try:
        (out / "images").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot make the folder ({error.strerror})") from error
    write_json(path, dict(wanted))


def _build_pictures(
    out: Path, plan: _Plan, bank: SpriteBank, progress: Callable[[int], None] | None
) -> Iterator[EntityRecord]:
    from askmask.pantry.compose import compose

    for done in range(plan.count):
        scene = compose(bank, plan.seed + done, (plan.height, plan.width))
        name = f"images/{scene.seed:06d}.png"
        write_picture(out / name, scene.image)
        yield record_from_scene(scene, name)
        if progress is not None:
            progress(done + 1)


def write_picture(path: Path, image: NDArray[np.uint8]) -> None:
    """Write a PNG, (H, W, 3) uint8 RGB, unless the file shows exactly this picture already."""
    if not _holds(path, image):
        write_png(path, image)


def _holds(path: Path, image: NDArray[np.uint8]) -> bool:
    """Whether a file exists, can be read and shows exactly this picture."""
    try:
        return path.is_file() and np.array_equal(read_image(path), image)
    except ImageError:
        return False


def record_from_scene(scene: Scene, image: str) -> EntityRecord:
    """Make the entity line of a scene whose picture is stored at `image`, relative to the file."""
    height, width = scene.image.shape[:2]
    return EntityRecord(
        image=image,
        height=height,
        width=width,
        entities=tuple(entity_from_object(scene, index) for index in range(len(scene.objects))),
        extra={
            "layout": scene.layout,
            "seed": scene.seed,
            "occlusion": scene.occlusion.tolist(),
        },
    )


def entity_from_object(scene: Scene, index: int) -> Entity:
    """Make the entity of `scene.objects[index]`; depth order 0 is the nearest object."""
    item = scene.objects[index]
    main = [name for name, share in item.colours.items() if share >= _MAIN_COLOUR]
    occluders = np.flatnonzero(scene.occlusion[:, index])
    return Entity(
        id=item.id,
        category=item.category,
        attributes={
            "colour": main[0] if main else None,
            "colours": dict(item.colours),
            "material": item.material,
            "container": item.container,
            "shape": item.shape,
        },
        modal=rle.encode(item.modal),
        amodal=rle.encode(item.amodal),
        occlusion_rate=item.occlusion_rate,
        occluded_by=tuple(scene.objects[a].id for a in occluders),
        depth_order=len(scene.objects) - 1 - index,
        extra={
            "look": item.look,
            "size_m": list(item.size_m),
            "centre_m": list(item.centre_m),
            "amodal_area_full": item.amodal_area_full,
        },
    )


def scene_from_record(record: EntityRecord, image: NDArray[np.uint8]) -> Scene:
    """Rebuild the scene that `record_from_scene` wrote.

    Args:
        record: an entity line of a folder of composed scenes.
        image: (H, W, 3) uint8 RGB, its picture.

    Raises:
        DataError: when the record lacks what only scenes have, e.g. sizes in metres.
    """
    try:
        objects = tuple(_object_from_entity(entity) for entity in record.entities)
        return Scene(
            image=image,
            objects=objects,
            occlusion=np.array(record.extra["occlusion"], np.int64).reshape(
                len(objects), len(objects)
            ),
            layout=str(record.extra["layout"]),
            seed=int(record.extra["seed"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{record.image}: not the record of a composed scene (wrong or missing: {error}); "
            "expected a folder made by 'askmask build scenes'"
        ) from error


def _object_from_entity(entity: Entity) -> SceneObject:
    attributes, extra = entity.attributes, entity.extra
    if entity.amodal is None:
        raise ValueError(f"amodal of entity {entity.id}")
    return SceneObject(
        id=entity.id,
        category=entity.category,
        look=extra["look"],
        container=attributes["container"],
        shape=attributes["shape"],
        material=attributes["material"],
        colours=attributes["colours"],
        size_m=_triple(extra["size_m"]),
        centre_m=_triple(extra["centre_m"]),
        modal=rle.decode(entity.modal),
        amodal=rle.decode(entity.amodal),
        amodal_area_full=int(extra["amodal_area_full"]),
    )


def _triple(values: Any) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z
