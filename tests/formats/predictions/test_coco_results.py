"""COCO results with query ids: what is read, and how wrong ones are named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asked_queries import LEFT, RIGHT, equal, instances, read
from pycocotools import mask as coco

from askmask import rle
from askmask.errors import DataError
from askmask.types import MaskType


def result(query: Any = "a#0", mask: np.ndarray = LEFT, score: Any = 0.5, **more: Any) -> Any:
    return {"image_id": query, "segmentation": rle.encode(mask), "score": score, **more}


@pytest.fixture
def results(tmp_path: Path):
    """Read results from a file of any name."""

    def run(content: Any, format: str = "auto"):
        path = tmp_path / "out.txt"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read(tmp_path, path, format)

    return run


def test_detections_of_a_query_become_one_prediction_wherever_they_stand(results) -> None:
    found = results(
        [
            result("a#0", LEFT, 0.25),
            result(12, RIGHT, 1),
            result("a#0", RIGHT, 0.75, category_id=3, bbox=[0, 0, 99, 99]),
        ]
    )
    assert [*found] == ["a#0", "12"]
    assert equal(instances(found["a#0"]), [LEFT, RIGHT])
    assert [mask.score for mask in found["a#0"].masks] == [0.25, 0.75]
    assert found["12"].masks[0].score == 1.0
    assert found["a#0"].place.endswith("out.txt[0]")
    assert found["a#0"].fused is None


def test_box_and_category_of_a_detection_change_nothing(results) -> None:
    plain = results([result()])["a#0"].masks[0]
    boxed = results([result(category_id=9, bbox=[0, 0, 1, 1])])["a#0"].masks[0]
    assert (plain.segmentation, plain.score) == (boxed.segmentation, boxed.score)


def test_every_form_of_segmentation_is_read_as_pycocotools_does(results) -> None:
    polygon = [1.0, 1.0, 5.0, 1.0, 5.0, 4.0, 1.0, 4.0]
    plain = {"size": [6, 8], "counts": [6, 10, 32]}
    filled = coco.decode(coco.frPyObjects([polygon], 6, 8))[:, :, 0].astype(bool)
    unpacked = coco.decode(coco.frPyObjects(plain, 6, 8)).astype(bool)
    for segmentation, expected in [([polygon], filled), (polygon, filled), (plain, unpacked)]:
        found = results([{"image_id": "e", "score": 0.5, "segmentation": segmentation}])
        assert equal(instances(found["e"]), [expected])
    assert filled.any()
    assert unpacked.any()


def test_mask_type_of_results_is_kept(results) -> None:
    found = results([result(mask_type="amodal"), result(12)])
    assert [found["a#0"].mask_type, found["12"].mask_type] == [MaskType.AMODAL, None]


def test_no_results_are_no_predictions(results) -> None:
    assert results([]) == {}


BROKEN = {
    "unknown query": ([result(), result("b#0")], r"out.txt\[1\]: expected the id of a query"),
    "query of another type": ([result(True)], r"\[0\], key 'image_id': expected a query id"),
    "no query": ([{"score": 1}], r"\[0\], key 'image_id': missing"),
    "no mask": ([{"image_id": 12, "bbox": [1, 1, 2, 2]}], "'segmentation': missing"),
    "other size": (
        [result(mask=LEFT.T)],
        r"\[0\], key 'segmentation': RLE size: expected \[6, 8\], got \[8, 6\]",
    ),
    "counts of another sum": (
        [result(), result() | {"segmentation": {"size": [6, 8], "counts": "1"}}],
        r"\[1\], key 'segmentation': RLE counts: expected runs that sum to 6 x 8",
    ),
    "other alphabet": (
        [result() | {"segmentation": {"size": [6, 8], "counts": "~"}}],
        r"\[0\], key 'segmentation': RLE counts: expected characters",
    ),
    "plain counts of another sum": (
        [result() | {"segmentation": {"size": [6, 8], "counts": [1]}}],
        r"\[0\], key 'segmentation': RLE counts: expected runs",
    ),
    "plain counts of another size": (
        [result() | {"segmentation": {"size": [8, 6], "counts": [48]}}],
        r"\[0\], key 'segmentation': RLE size",
    ),
    "no polygon": (
        [result() | {"segmentation": [[1, 2, 3]]}],
        r"\[0\], key 'segmentation': expected polygons",
    ),
    "polygon beyond floats": (
        [result() | {"segmentation": [[10**400, 2, 3, 4, 5, 6]]}],
        r"\[0\], key 'segmentation': expected polygons",
    ),
    "no score": ([{"image_id": 12, "segmentation": []}], "'score': missing"),
    "score above one": ([result(score=1.5)], r"\[0\], key 'score': .* in \[0, 1\], got 1.5"),
    "score below zero": ([result(score=-0.5)], r"\[0\], key 'score'"),
    "mixed mask types": (
        [result(mask_type="modal"), result(mask_type="amodal")],
        r"\[1\], key 'mask_type': expected modal .*got amodal; a query has one mask type",
    ),
    "mask type of some": ([result(mask_type="modal"), result()], r"\[1\], key 'mask_type'.*none"),
    "unknown mask type": ([result(mask_type="visible")], r"\[0\], key 'mask_type': expected one"),
    "no object": ([3], r"\[0\]: expected an object, got 3"),
    "NaN score": (
        '[{"image_id": 12, "segmentation": [], "score": NaN}]',
        r"out.txt, key '\[0\].score': expected a finite number, NaN",
    ),
    "cut off": ('[{"image_id": 12', "expected JSON"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_wrong_results_are_named(results, content: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        results(content)
    assert "\n" not in str(caught.value)


def test_annotations_are_no_results(results) -> None:
    with pytest.raises(DataError, match="expected a list of COCO results, got dict"):
        results({"images": [], "annotations": []}, "coco")
