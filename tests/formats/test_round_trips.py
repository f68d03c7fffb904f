"""What comes back from each format: everything where it says that nothing is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from random_records import SIZE_HW, alone, entity_splits, picture_names, query_splits

from askmask import rle
from askmask.formats.askmask import Entity, EntityRecord
from askmask.formats.collection import Collection, Losses, Options, Split
from askmask.formats.converters import FORMATS
from askmask.images import write_png

LOSSLESS = ["coco", "labelme", "labelme-masks", "label-studio", "cvat"]
"""Formats that hold every key of an object."""

few = settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])


def through(name: str, collection: Collection, **options: object) -> tuple[Collection, Losses]:
    """Write and read again; return what came back and what was said to be lost."""
    losses = Losses()
    given = Options(**options)  # type: ignore[arg-type]
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        FORMATS[name].write()(collection, out, given, losses)
        workspace = Path(folder) / "pictures"
        workspace.mkdir()
        return FORMATS[name].read()(out, replace(given, workspace=workspace)), losses


def records(split: Split) -> list[dict]:
    """The records as JSON, ordered where formats are free to order them anew."""
    found = [record.to_json() for record in (*split.entities, *split.queries)]
    for record in found:
        record.get("entities", []).sort(key=lambda entity: entity["id"])
    return sorted(found, key=lambda record: (record["image"], record.get("id", "")))


@pytest.mark.parametrize("name", LOSSLESS)
@given(entity_splits())
@few
def test_objects_come_back(name: str, split: Split) -> None:
    back, losses = through(name, alone(split))
    assert losses.lines() == []
    assert records(back.only()) == records(split)


@given(query_splits())
@few
def test_queries_come_back_from_coco(split: Split) -> None:
    back, losses = through("coco", alone(split, name="n", license="l", source="s"))
    assert losses.lines() == []
    assert back.only().queries == split.queries
    assert (back.name, back.license, back.source) == ("n", "l", "s")


@given(entity_splits())
@few
def test_objects_come_back_from_polygons_of_coco(split: Split) -> None:
    back, losses = through("coco-polygons", alone(split))
    assert losses.lines() == []
    assert records(back.only()) == records(split)


@given(entity_splits())
@few
def test_benchmark_folder_comes_back(split: Split) -> None:
    back, losses = through("askmask", Collection({"val": split}, "n", "l", "s"))
    assert losses.lines() == []
    assert back.splits["val"].entities == split.entities
    assert (back.name, back.license, back.source) == ("n", "l", "s")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "images").mkdir()
    for name in picture_names(2):
        write_png(folder / name, np.zeros((*SIZE_HW, 3), np.uint8))
    return folder


@pytest.mark.parametrize("kind", ["entities", "queries"])
def test_parquet_comes_back_with_its_pictures(kind: str, pictures: Path) -> None:
    pytest.importorskip("pyarrow")
    strategy = entity_splits() if kind == "entities" else query_splits()

    @given(strategy)
    @few
    def check(split: Split) -> None:
        split = replace(split, images=pictures)
        back, losses = through("parquet", Collection({"val": split}))
        assert losses.lines() == []
        assert records(back.splits["val"]) == records(split)
        assert back.temporary

    check()


def objects_of(*masks: np.ndarray) -> Split:
    entities = tuple(
        Entity(number, "mug", rle.encode(mask)) for number, mask in enumerate(masks, 1)
    )
    height, width = masks[0].shape
    return Split(entities=(EntityRecord(picture_names(1)[0], height, width, entities),))


RING = np.zeros(SIZE_HW, bool)
RING[1:6, 2:8] = True
RING[3, 4:6] = False
TWO = np.zeros(SIZE_HW, bool)
TWO[1:3, 1:3] = TWO[6:8, 7:10] = True


def test_yolo_keeps_holes_by_a_bridge(pictures: Path) -> None:
    split = replace(objects_of(RING), images=pictures)
    back, losses = through("yolo", Collection({"val": split}))
    assert back.splits["val"].entities[0].entities[0].modal == rle.encode(RING)
    assert losses.counts["holes as such"] == 1
    assert losses.ious == []


def test_yolo_tells_what_joining_parts_changes(pictures: Path) -> None:
    split = replace(objects_of(TWO), images=pictures)
    back, losses = through("yolo", Collection({"val": split}))
    found = rle.decode(back.splits["val"].entities[0].entities[0].modal)
    assert (found & TWO).sum() == TWO.sum()
    expected = TWO.sum() / found.sum()
    assert losses.ious == [pytest.approx(expected)]
    assert any(f"{expected:.4f} at worst" in line for line in losses.lines())


@given(entity_splits())
@few
def test_yolo_keeps_what_it_does_not_report(split: Split) -> None:
    with TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "images").mkdir()
        for name in picture_names(2):
            write_png(home / name, np.zeros((*SIZE_HW, 3), np.uint8))
        back, losses = through("yolo", Collection({"val": replace(split, images=home)}))
    masks = [[one.modal for one in record.entities] for record in split.entities]
    masks = [[code for code in group if rle.area(code)] for group in masks]
    found = [[one.modal for one in record.entities] for record in back.splits["val"].entities]
    assert [len(group) for group in found] == [len(group) for group in masks]
    changed = sum(
        a != b for x, y in zip(masks, found, strict=True) for a, b in zip(x, y, strict=True)
    )
    assert changed == len(losses.ious)


def test_png_shows_the_later_of_two_masks(tmp_path: Path) -> None:
    losses = Losses()
    out = tmp_path / "out"
    FORMATS["png"].write()(alone(objects_of(RING, TWO)), out, Options(), losses)
    from PIL import Image

    index = json.loads((out / "masks.json").read_text(encoding="utf-8"))
    pixels = np.asarray(Image.open(out / index[0]["masks"][0]["file"]))
    assert (pixels == 2).sum() == TWO.sum()
    assert (pixels == 1).sum() == (RING & ~TWO).sum()
    assert losses.counts["pixels of overlapping masks"] == (RING & TWO).sum() > 0


@given(entity_splits())
@few
def test_binary_png_holds_every_mask(split: Split) -> None:
    from askmask.images import read_mask

    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        FORMATS["png-binary"].write()(alone(split), out, Options(), Losses())
        index = json.loads((out / "masks.json").read_text(encoding="utf-8"))
        found = [
            rle.encode(read_mask(out / mask["file"])) for one in index for mask in one["masks"]
        ]
    expected = []
    for entity in (entity for record in split.entities for entity in record.entities):
        expected.append(entity.modal)
        if entity.amodal is not None and entity.amodal != entity.modal:
            expected.append(entity.amodal)
    assert found == expected
