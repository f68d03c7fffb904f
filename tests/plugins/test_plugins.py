"""The plug-ins in examples/plugins hand over the masks of the answers in each tool's own shape."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import askmask
from askmask.answers import PicturedAnswer
from askmask.geometry import fill_centres

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "demo.png"
WHOLE = "the whole jar of mayonnaise, also where the can of coffee covers it"
SIZE_HW = (480, 640)

pytestmark = pytest.mark.skipif(not DEMO.exists(), reason="not a checkout of the repository")


def plugin(name: str) -> ModuleType:
    """Load a plug-in as a tool that is given its file does."""
    spec = importlib.util.spec_from_file_location(
        name, ROOT / "examples" / "plugins" / f"{name}.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def all_of_them() -> PicturedAnswer:
    return askmask.ask(DEMO, "everything")


def detect(text: str, least: float | None = None, *, as_polygons: bool = False) -> list[Any]:
    create = plugin("cvat_function").create
    context = SimpleNamespace(
        frame_name="demo.png", conf_threshold=least, conv_mask_to_poly=as_polygons
    )
    function = create(text=text, label="thing")
    assert [(one.name, one.id, one.type) for one in function.spec.labels] == [("thing", 0, "mask")]
    with Image.open(DEMO) as image:
        return list(function.detect(context, image))


def test_cvat_gets_masks(all_of_them: PicturedAnswer) -> None:
    masks = pytest.importorskip("cvat_sdk.masks")
    shapes = detect("everything")
    assert {(str(one.type), one.label_id, one.frame) for one in shapes} == {("mask", 0, 0)}
    found = [masks.decode_mask(one.points, image_width=640, image_height=480) for one in shapes]
    np.testing.assert_array_equal(found, all_of_them.masks.dense())


def test_cvat_gets_what_is_sure_enough(all_of_them: PicturedAnswer) -> None:
    pytest.importorskip("cvat_sdk")
    least = float(np.median(all_of_them.scores))
    count = int((all_of_them.scores >= least).sum())
    assert 0 < count < len(all_of_them)
    assert len(detect("everything", least)) == count


def test_cvat_gets_polygons(all_of_them: PicturedAnswer) -> None:
    pytest.importorskip("cvat_sdk")
    shapes = detect("everything", as_polygons=True)
    assert {str(one.type) for one in shapes} == {"polygon"}
    groups = sorted({one.group for one in shapes})
    assert groups == list(range(1, len(all_of_them) + 1))
    for group, mask in zip(groups, all_of_them.masks, strict=True):
        parts = [np.reshape(one.points, (-1, 2)) for one in shapes if one.group == group]
        filled = fill_centres([part.astype(np.int64) for part in parts], SIZE_HW)
        np.testing.assert_array_equal(filled, mask)


class Samples(list[Any]):
    """What a FiftyOne dataset has to be."""

    def iter_samples(self, **options: bool) -> Iterator[Any]:
        assert options["autosave"]  # or the fields would not be kept
        return iter(self)


class Sample(dict[str, Any]):
    filepath = str(DEMO)


@pytest.fixture
def add_answers(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The plug-in, with labels that only keep what they are given: FiftyOne needs a database."""
    labels = ModuleType("fiftyone")
    labels.Detection = labels.Detections = SimpleNamespace  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fiftyone", labels)
    return plugin("fiftyone_answers").add_answers


def test_fiftyone_gets_visible_whole_and_hidden_parts(add_answers: Any) -> None:
    sample = Sample()
    add_answers(Samples([sample]), WHOLE)
    answer = askmask.ask(DEMO, WHOLE)
    modal, amodal = answer.modal[0], answer.amodal[0]
    expected = {"ask_modal": modal, "ask_amodal": amodal, "ask_hidden": amodal & ~modal}
    assert sample.keys() == expected.keys()
    for field, mask in expected.items():
        (found,) = sample[field].detections
        assert (found.label, found.mask_type) == (WHOLE, "amodal")
        assert found.confidence == pytest.approx(float(answer.scores[0]))
        x, y, width, height = found.bounding_box
        assert all(0 <= one <= 1 for one in found.bounding_box)
        left, top = round(x * 640), round(y * 480)
        assert found.mask.shape == (round(height * 480), round(width * 640))
        drawn = np.zeros(SIZE_HW, bool)
        drawn[top : top + found.mask.shape[0], left : left + found.mask.shape[1]] = found.mask
        np.testing.assert_array_equal(drawn, mask)


def test_fiftyone_gets_nothing_where_nothing_fits(add_answers: Any) -> None:
    sample = Sample()
    add_answers(Samples([sample]), "an elephant", field="found")
    assert {field: found.detections for field, found in sample.items()} == {
        "found_modal": [],
        "found_amodal": [],
        "found_hidden": [],
    }
