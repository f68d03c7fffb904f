"""Answers that know their picture: drawn, saved, and opened by other tools."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import askmask
from askmask.answers import PicturedAnswer
from askmask.errors import MissingExtraError, QueryError
from askmask.formats.askmask import Prediction
from askmask.models import ask as asking
from askmask.overlay import draw_answer
from askmask.types import Answer, Masks, MaskType, Query

IMAGE = np.full((40, 60, 3), 90, np.uint8)
SHARES = {MaskType.MODAL: 0.1, MaskType.AMODAL: 0.9, MaskType.HIDDEN: 0.0}


def stack(*boxes: tuple[int, int, int, int]) -> Masks:
    masks = np.zeros((len(boxes), 40, 60), bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
        mask[y0:y1, x0:x1] = True
    return Masks.from_dense(masks)


def answer(text: str = 'the "whole" mug') -> PicturedAnswer:
    whole, seen = stack((5, 5, 25, 25), (30, 5, 50, 25)), stack((5, 5, 25, 15), (30, 5, 50, 25))
    scores = np.array([0.75, 0.5], np.float32)
    plain = Answer(MaskType.AMODAL, SHARES, whole, scores, seen, whole)
    return PicturedAnswer.of(plain, IMAGE, Query(text))


def nothing() -> PicturedAnswer:
    none = Masks.empty((40, 60))
    plain = Answer(MaskType.MODAL, SHARES, none, np.zeros(0, np.float32), none, none)
    return PicturedAnswer.of(plain, IMAGE, Query("an elephant"))


def test_it_is_an_answer_and_repr_stays_short() -> None:
    assert isinstance(answer(), Answer)
    assert len(answer()) == 2
    assert "image=" not in repr(answer())


def test_notebooks_show_the_drawing_and_describe_it() -> None:
    shown, about = answer()._repr_jpeg_()
    drawn = draw_answer(IMAGE, answer(), answer().query)
    with Image.open(io.BytesIO(shown)) as image:
        assert np.abs(np.asarray(image).astype(int) - drawn).mean() < 4
    assert about == {"alt": 'the "whole" mug: 2 masks, amodal'}
    assert nothing()._repr_jpeg_()[1] == {"alt": "an elephant: nothing fits, modal"}


def test_save_writes_what_segment_writes(tmp_path: Path) -> None:
    folder = tmp_path / "mug"
    answer().save(folder)
    names = ["mask-1.png", "mask-2.png", "overlay.png", "prediction.json"]
    assert sorted(path.name for path in folder.iterdir()) == names
    record = json.loads((folder / "prediction.json").read_text())
    assert Prediction.from_json(record, "file") == answer().record("mug")
    (folder / "mine.txt").write_text("mine")
    nothing().save(str(folder))
    assert sorted(path.name for path in folder.iterdir()) == ["mine.txt", *names[2:]]


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # of pycocotools
def test_pycocotools_opens_it() -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    with redirect_stdout(None):
        coco = coco_module.COCO()
        coco.dataset = json.loads(json.dumps(answer().to_coco("mug.png")))
        coco.createIndex()
    rows = coco.loadAnns(coco.getAnnIds())
    assert [row["score"] for row in rows] == [0.75, 0.5]
    np.testing.assert_array_equal(coco.annToMask(rows[0]), answer().masks[0])
    assert coco.loadCats([1])[0]["name"] == 'the "whole" mug'
    assert nothing().to_coco()["annotations"] == []
    assert len(nothing().to_coco()["images"]) == 1


def test_supervision_gets_masks_and_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(MissingExtraError, match=r"askmask\[supervision\]"):
        answer().to_supervision()
    monkeypatch.setitem(
        sys.modules,
        "supervision",
        SimpleNamespace(Detections=SimpleNamespace),  # type: ignore[arg-type]
    )
    found = answer().to_supervision()
    np.testing.assert_array_equal(found.mask, answer().masks.dense())
    assert found.confidence.tolist() == [0.75, 0.5]
    assert found.xyxy[0].tolist() == [5, 5, 25, 25]


def test_ask_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded: list[str] = []

    class Model:
        def set_image(self, image: np.ndarray) -> None:
            self.image = image

        def answer(self, query: Query) -> Answer:
            kind = query.mask_type or MaskType.MODAL
            masks = stack((0, 0, 5, 5))
            return Answer(kind, SHARES, masks, np.ones(1, np.float32), masks, masks)

    def load(model_id: str) -> Model:
        loaded.append(model_id)
        return Model()

    asking._loaded.cache_clear()
    monkeypatch.setattr(asking, "load", load)
    Image.fromarray(IMAGE).save(tmp_path / "a.png")
    found = askmask.ask(tmp_path / "a.png", "the mug", mask_type="hidden")
    assert (found.mask_type, found.query.text) == (MaskType.HIDDEN, "the mug")
    np.testing.assert_array_equal(found.image, IMAGE)
    assert askmask.ask(IMAGE, "the cup").mask_type is MaskType.MODAL
    assert loaded == ["embedded-v1"]
    with pytest.raises(QueryError, match="expected one of modal, amodal, hidden, got 'whole'"):
        askmask.ask(IMAGE, "the mug", mask_type="whole")
    asking._loaded.cache_clear()
