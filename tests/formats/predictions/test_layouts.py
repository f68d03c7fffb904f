"""What LISA and GLaMM leave, our own lines and run folders, and how a layout is known."""

import json
from pathlib import Path

import numpy as np
import pytest
from asked_queries import IDS, LEFT, RIGHT, equal, instances, read, write_mask, write_queries_file
from PIL import Image
from shared_material import SHARED

from askmask import rle
from askmask.errors import DataError, TornLineError
from askmask.formats.askmask import Prediction, write_predictions
from askmask.formats.predictions.asked import Asked
from askmask.formats.predictions.lisa import read_lisa
from askmask.formats.predictions.registry import PREDICTION_FORMATS, predictions_for

LARGE_HW = (48, 64)
"""JPEG blurs masks as small as those of the other tests."""


def write_lisa(path: Path, mask: np.ndarray) -> None:
    large = np.kron(mask, np.ones((8, 8), bool))
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(large.astype(np.uint8) * 100).save(path, "JPEG")


def large(ids: dict[str, str]) -> Asked:
    return Asked("queries.jsonl", dict.fromkeys(ids, LARGE_HW), ids)


def test_masks_of_lisa_are_fused_by_picture_or_id(tmp_path: Path) -> None:
    folder = tmp_path / "vis_output"
    write_lisa(folder / "dog_mask_0.jpg", LEFT)
    write_lisa(folder / "dog_mask_1.jpg", RIGHT)
    write_lisa(folder / "dog_masked_img_0.jpg", RIGHT)
    write_lisa(folder / "q7_mask_0.jpg", RIGHT)
    asked = large({"q6": "images/dog.v1.jpg", "q7": "images/cat.jpg", "q8": "images/cat.jpg"})
    found = {one.id: one for one in read_lisa(folder, asked)}
    assert {*found} == {"q6", "q7"}
    for name, mask in [("q6", LEFT | RIGHT), ("q7", RIGHT)]:
        assert found[name].fused is not None
        decoded = rle.decode(found[name].fused)
        assert np.array_equal(decoded, np.kron(mask, np.ones((8, 8), bool)))
        assert found[name].masks == ()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cat_mask_0.jpg", r"cat_mask_0\.jpg: 2 queries ask about the picture 'cat' \(q7, q8"),
        ("cow_mask_0.jpg", r"cow_mask_0\.jpg: expected the id of a query"),
        ("dog.jpg", r"dog\.jpg: expected NAME_mask_0\.jpg"),
        ("dog_mask_0.png", r"dog_mask_0\.png: expected only \.jpg"),
    ],
)
def test_wrong_files_of_lisa_are_named(tmp_path: Path, name: str, message: str) -> None:
    write_lisa(tmp_path / "out" / name, LEFT)
    asked = large({"q6": "images/dog.jpg", "q7": "images/cat.jpg", "q8": "images/cat.jpg"})
    with pytest.raises(DataError, match=message):
        list(read_lisa(tmp_path / "out", asked))


def test_masks_of_lisa_in_another_size_are_named(tmp_path: Path) -> None:
    write_lisa(tmp_path / "out" / "q_mask_0.jpg", LEFT.T)
    with pytest.raises(DataError, match=r"q_mask_0\.jpg: expected height and width \[48, 64\]"):
        list(read_lisa(tmp_path / "out", large({"q": "images/a.jpg"})))


@pytest.mark.skipif(not (SHARED / "real" / "lisa_demo").is_dir(), reason="no real results here")
def test_a_real_mask_of_lisa_is_read(tmp_path: Path) -> None:
    (tmp_path / "example1_mask_0.jpg").symlink_to(
        SHARED / "real" / "lisa_demo" / "example1_mask_0.jpg"
    )
    asked = Asked("queries.jsonl", {"q": (1536, 2048)}, {"q": "images/example1.jpg"})
    (found,) = read_lisa(tmp_path, asked)
    assert found.fused is not None
    assert 128_000 < rle.area(found.fused) < 135_000


def write_glamm(folder: Path, name: str, **content: object) -> None:
    folder.mkdir(exist_ok=True)
    record = {"image_id": name, "caption": "A mug.", "phrases": ["a mug", "a box"]}
    record["pred_masks"] = [rle.encode(LEFT), rle.encode(RIGHT)]
    (folder / f"{name.replace('/', '-')}.json").write_text(json.dumps(record | content))


def test_answers_of_glamm_are_instances_with_labels(tmp_path: Path) -> None:
    write_glamm(tmp_path / "out", "a")  # the picture of a#0
    write_glamm(tmp_path / "out", "e", phrases=["one"])
    found = read(tmp_path, tmp_path / "out")
    assert {*found} == {"a#0", "e"}
    assert equal(instances(found["a#0"]), [LEFT, RIGHT])
    assert [(mask.score, mask.label) for mask in found["a#0"].masks] == [
        (1.0, "a mug"),
        (1.0, "a box"),
    ]
    assert found["a#0"].rationale == "A mug."
    assert [mask.label for mask in found["e"].masks] == [None, None]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"image_id": "f"}, r"e\.json: expected the id of a query"),
        ({"pred_masks": None}, r""),
        (
            {"pred_masks": [{"size": [8, 6], "counts": "`1"}]},
            r"e\.json, key 'pred_masks\[0\]': RLE",
        ),
        (
            {"pred_masks": [{"size": [6, 8], "counts": "`0"}]},
            r"e\.json, key 'pred_masks\[0\]': RLE",
        ),
        ({"caption": 3}, r"e\.json, key 'caption': expected a string"),
    ],
)
def test_wrong_answers_of_glamm_are_named(tmp_path: Path, content, message: str) -> None:
    write_glamm(tmp_path / "out", "e", **content)
    if not message:  # null is no mask, as everywhere
        assert read(tmp_path, tmp_path / "out")["e"].masks == ()
        return
    with pytest.raises(DataError, match=message):
        read(tmp_path, tmp_path / "out")


def test_two_files_of_one_query_are_named(tmp_path: Path) -> None:
    write_glamm(tmp_path / "out", "a")
    write_glamm(tmp_path / "out", "a#0")
    with pytest.raises(DataError, match=r"query 'a#0' has another file"):
        read(tmp_path, tmp_path / "out")


def test_own_lines_and_run_folders_are_known_whatever_their_name(tmp_path: Path) -> None:
    predictions = [Prediction(name) for name in IDS]
    run = tmp_path / "run"
    run.mkdir()
    write_predictions(run / "predictions.jsonl", predictions)
    write_mask(run / "pictures" / "other.png", LEFT)
    write_predictions(tmp_path / "lines.json", predictions)
    (tmp_path / "empty").write_bytes(b"")
    for path in (run, tmp_path / "lines.json"):
        for format in ("auto", "askmask"):
            assert [*read(tmp_path, path, format).values()] == predictions
    assert read(tmp_path, tmp_path / "empty") == {}


UNKNOWN = {
    "nothing there": (None, "cannot be read"),
    "one PNG": (b"\x89PNG\r\n", "give the folder that holds the masks"),
    "a pickle": (b"\x80\x04\x95", "pickles of Python run code"),
    "a file of torch": (b"PK\x03\x04", "pickles of Python run code"),
    "text": (b"a,b\n1,2\n", "expected lines of predictions or a list of COCO results"),
}


@pytest.mark.parametrize(("raw", "message"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_unknown_files_are_refused_with_advice(tmp_path: Path, raw, message: str) -> None:
    path = tmp_path / "results"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, path)
    assert str(caught.value).startswith(f"{path}: ")


def test_unknown_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="got no file"):
        read(tmp_path, tmp_path / "out")
    (tmp_path / "out" / "a.txt").write_text("a")
    with pytest.raises(DataError, match=r"got a\.txt first"):
        read(tmp_path, tmp_path / "out")


@pytest.mark.parametrize("format", sorted(PREDICTION_FORMATS))
def test_another_layout_than_said_is_refused(tmp_path: Path, format: str) -> None:
    path = tmp_path / "results"
    path.write_text("nonsense\n")
    with pytest.raises(DataError):
        read(tmp_path, path, format)


def test_a_torn_last_line_is_named_or_handed_over(tmp_path: Path) -> None:
    path, queries = tmp_path / "predictions.jsonl", write_queries_file(tmp_path)
    path.write_bytes(b'{"id": "e"}\n{"id": "12", "mas')
    with pytest.raises(TornLineError, match=r"jsonl:2: the file ends in .*--resume.*--allow-mis"):
        list(predictions_for(path, queries))
    said: list[TornLineError] = []
    found = list(predictions_for(path, queries, on_torn=said.append))
    assert [one.id for one in found] == ["e"]
    assert len(said) == 1
