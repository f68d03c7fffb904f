"""A run over a folder, opened by the tools its files are for; skipped where these are missing.

pip install datasets labelme supervision
"""

from __future__ import annotations

import shutil
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest

import askmask
from askmask import rle
from askmask.formats.askmask import read_predictions
from askmask.formats.converters import convert
from askmask.runs.asking import ask_pictures, find_pictures
from askmask.runs.export import export_run
from askmask.runs.segment import segment_pictures

# Other tools' warnings are not ours; some come while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

DEMO = Path(__file__).parents[2] / "examples" / "demo.png"
SENTENCES = (
    "everything",
    "the whole jar of mayonnaise, also where the can of coffee covers it",
    "the part of the mayonnaise jar that the coffee can hides",
    "an elephant",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "photos").mkdir()
    shutil.copy(DEMO, folder / "photos")
    out = folder / "out"
    asked = ask_pictures(find_pictures([folder / "photos"], out), SENTENCES, out)
    assert segment_pictures(askmask.load(), asked, out).failed == 0
    return out


@pytest.fixture(scope="module")
def said(run: Path) -> list[tuple[str, np.ndarray]]:
    """Sentence and pixels of every mask of the answers."""
    answers = list(read_predictions(run / "predictions.jsonl"))
    found = [
        (text, rle.decode(mask.segmentation))
        for text, answer in zip(SENTENCES, answers, strict=True)
        for mask in answer.masks
    ]
    assert [answer.mask_type for answer in answers][:3] == ["modal", "amodal", "hidden"]
    assert len({text for text, _ in found}) >= 3
    return found


def same(found: list[tuple[str, np.ndarray]], said: list[tuple[str, np.ndarray]]) -> bool:
    names = [text for text, _ in found] == [text for text, _ in said]
    return names and all(
        np.array_equal(mask, wanted) for (_, mask), (_, wanted) in zip(found, said, strict=True)
    )


def test_pycocotools(run: Path, said: list[tuple[str, np.ndarray]]) -> None:
    module = pytest.importorskip("pycocotools.coco")
    path, _ = export_run(run, "coco")
    with redirect_stdout(None):
        coco = module.COCO(str(path))
    rows = coco.loadAnns(coco.getAnnIds())
    names = [coco.loadCats(row["category_id"])[0]["name"] for row in rows]
    found = list(zip(names, map(coco.annToMask, rows), strict=True))
    assert same(found, said)
    assert not same(found[::-1], said)
    assert (run / coco.imgs[1]["file_name"]).read_bytes() == DEMO.read_bytes()


def test_supervision(run: Path, said: list[tuple[str, np.ndarray]]) -> None:
    sv = pytest.importorskip("supervision")
    photos = run.parent / "photos"  # supervision opens only pictures below the folder it is given
    convert(run, photos / "coco.json", source_format="run", target_format="coco")
    opened = sv.DetectionDataset.from_coco(str(photos), str(photos / "coco.json"), force_masks=True)
    ((_, image, found),) = list(opened)
    assert image.shape == (480, 640, 3)
    names = [opened.classes[number] for number in found.class_id]
    assert same(list(zip(names, found.mask, strict=True)), said)


def test_datasets(run: Path, said: list[tuple[str, np.ndarray]], tmp_path: Path) -> None:
    pytest.importorskip("datasets.load")  # "datasets" alone may be our own folder of tests
    datasets = pytest.importorskip("datasets")
    path, _ = export_run(run, "parquet")
    ((_, table),) = datasets.load_dataset(str(path), "entities", cache_dir=str(tmp_path)).items()
    (row,) = table
    assert row["image"].size == (640, 480)
    found = [
        (one["category"], rle.decode(one["amodal"] or one["modal"])) for one in row["entities"]
    ]
    assert same(found, said)


def test_labelme(run: Path, said: list[tuple[str, np.ndarray]]) -> None:
    labelme = pytest.importorskip("labelme")
    path, _ = export_run(run, "labelme")
    file = labelme.LabelFile(str(path / "demo.json"))
    masks = {number: np.zeros((480, 640), bool) for number in range(1, len(said) + 1)}
    names = {shape["group_id"]: shape["label"] for shape in file.shapes}
    for shape in file.shapes:
        masks[shape["group_id"]] |= labelme.utils.shape_to_mask(
            (480, 640), shape["points"], shape["shape_type"]
        )
    assert same([(names[number], mask) for number, mask in masks.items()], said)
