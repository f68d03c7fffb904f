"""Proposals of another tool, read from COCO's json."""

import json
from copy import deepcopy

import numpy as np
import pytest
from PIL import Image

from askmask import rle
from askmask.errors import DataError, ImageError
from askmask.models.proposals_file import FileProposer

BOX = np.zeros((6, 8), bool)
BOX[1:4, 2:5] = True
CONTENT = {
    "images": [
        {"id": 7, "file_name": "b/one.png", "height": 6, "width": 8},
        {"id": 9, "file_name": "two.png", "height": 6, "width": 8},
        {"id": 11, "file_name": "three.png", "height": 8, "width": 6},
    ],
    "annotations": [
        {"image_id": 7, "segmentation": rle.encode(BOX), "score": 0.25},
        {"image_id": 7, "segmentation": [[0, 0, 4, 0, 4, 4, 0, 4]], "score": 1},
        {"image_id": 9, "segmentation": {"size": [6, 8], "counts": [0, 48]}, "score": 0.5},
    ],
}
PIXELS = {
    name: np.random.default_rng(seed).integers(0, 256, (*hw, 3), np.uint8)
    for seed, (name, hw) in enumerate(
        {"b/one.png": (6, 8), "two.png": (6, 8), "three.png": (8, 6)}.items()
    )
}


@pytest.fixture
def content():
    return deepcopy(CONTENT)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "b").mkdir()
    for name, pixels in PIXELS.items():
        Image.fromarray(pixels).save(tmp_path / name)
    return tmp_path


def load(folder, content, **options):
    path = folder / "proposals.json"
    path.write_text(json.dumps(content))
    return FileProposer.load(str(path), **options)


def test_by_id_and_by_name_the_surest_first(folder, content):
    proposer = load(folder, content)
    found = proposer.of(7)
    assert found.score.tolist() == [1.0, 0.25]
    assert found.score.dtype == np.float32
    assert found.modal.areas.tolist() == [16, 9]
    assert (found.modal[1] == BOX).all()
    assert found.amodal is found.modal
    assert proposer.of("b/one.png").score.tolist() == [1.0, 0.25]
    assert len(proposer.of(11)) == 0
    assert proposer.of(11).modal.size_hw == (8, 6)


def test_ids_may_be_written_as_text(folder, content):
    for row in content["annotations"]:
        row["image_id"] = str(row["image_id"])
    proposer = load(folder, content)
    assert len(proposer.of(7)) == len(proposer.of("7")) == 2


def test_by_pixels_each_picture_read_once(folder, content, monkeypatch):
    from askmask.models import proposals_file

    read = []
    original = proposals_file.read_image
    monkeypatch.setattr(
        proposals_file, "read_image", lambda path: read.append(path.name) or original(path)
    )
    proposer = load(folder, content)
    assert proposer.propose(PIXELS["b/one.png"]).score.tolist() == [1.0, 0.25]
    assert read == ["one.png"]
    assert proposer.propose(PIXELS["two.png"]).score.tolist() == [0.5]
    assert len(proposer.propose(PIXELS["three.png"])) == 0
    assert proposer.propose(PIXELS["b/one.png"].copy()).score.tolist() == [1.0, 0.25]
    assert read == ["one.png", "two.png", "three.png"]


def test_pictures_in_another_folder(folder, content, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    proposer = load(elsewhere, content, images=str(folder))
    assert proposer.propose(PIXELS["two.png"]).score.tolist() == [0.5]


def test_an_unknown_picture(folder, content):
    proposer = load(folder, content)
    with pytest.raises(DataError, match=r"no picture 'two.pgn': did you mean 'two.png'\?"):
        proposer.of("two.pgn")
    with pytest.raises(DataError, match=r"no picture 8: known are b/one.png, two.png"):
        proposer.of(8)
    for _ in range(2):
        with pytest.raises(DataError, match="no picture of 8 x 6 pixels like this one"):
            proposer.propose(np.zeros((6, 8, 3), np.uint8))
    assert proposer.propose(PIXELS["two.png"]).score.tolist() == [0.5]


def test_a_picture_of_another_size_than_the_file_says(folder, content):
    content["images"][0].update(height=8, width=6)
    proposer = load(folder, content)
    with pytest.raises(DataError, match=r"image 7 should be 6 x 8 pixels, b/one.png is 8 x 6"):
        proposer.propose(PIXELS["three.png"])


def test_a_picture_that_is_missing(folder, content):
    (folder / "b" / "one.png").unlink()
    with pytest.raises(ImageError, match=r"one.png: does not exist"):
        load(folder, content).propose(PIXELS["two.png"])


@pytest.mark.parametrize("score", [None, "0.5", 1.5, -0.1, True])
def test_a_proposal_without_a_score(folder, content, score):
    content["annotations"][1]["score"] = score
    proposer = load(folder, content)
    assert len(proposer.of(9)) == 1
    with pytest.raises(DataError, match=r"annotations\[1\]: expected a score in \[0, 1\]"):
        proposer.of(7)


def test_a_mask_of_another_size(folder, content):
    content["annotations"][0]["segmentation"] = rle.encode(BOX.T.copy())
    with pytest.raises(DataError, match=r"annotations\[0\]: RLE size: expected \[6, 8\]"):
        load(folder, content).of(7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("images"), "found no list of objects 'images'"),
        (lambda c: c.update(annotations=[3]), "found no list of objects 'annotations'"),
        (lambda c: c["images"][1].pop("file_name"), r"images\[1\]: expected file_name, got None"),
        (lambda c: c["images"][1].update(height=0), r"images\[1\]: expected height, got 0"),
        (lambda c: c["images"][1].update(id=7), r"images\[1\] has the id 7 of images\[0\]"),
        (
            lambda c: c["images"][1].update(file_name="b/one.png"),
            r"images\[1\] has the file_name 'b/one.png' of images\[0\]",
        ),
        (lambda c: c["annotations"][2].update(image_id=8), r"annotations\[2\] is of image 8"),
    ],
)
def test_refuses_what_is_no_such_file(folder, content, change, message):
    change(content)
    with pytest.raises(DataError, match=message):
        load(folder, content)


def test_refuses_a_bare_list_of_results(folder, content):
    with pytest.raises(DataError, match="a bare list of results does not name its pictures"):
        load(folder, content["annotations"])
