"""ReasonSeg: painted as LISA paints, whatever the encoding, with the size from the picture."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from shared_material import SHARED
from toy_datasets import (
    SIZE_HW,
    corners,
    mask,
    reasonseg_item,
    shape,
    write_json,
    write_reasonseg,
)

from askmask import rle
from askmask.datasets.frame import BadRecords
from askmask.datasets.reasonseg import read_reasonseg_file
from askmask.datasets.registry import FORMATS, recognise
from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import QueryRecord

REAL = SHARED / "real/reasonseg"


def read(
    path: Path, split: str = "val", images: Path | None = None, bad: BadRecords | None = None
) -> list[QueryRecord]:
    reader = FORMATS["reasonseg"].queries
    assert reader is not None
    return list(reader(path, split, images, bad or BadRecords()))


def test_each_way_to_ask_is_a_query(tmp_path: Path) -> None:
    folder = write_reasonseg(tmp_path)
    one = recognise(folder)
    assert (one.name, one.splits(folder)) == ("reasonseg", ["val"])
    first, second = read(folder)
    ignored = np.zeros(SIZE_HW, bool)
    ignored[8:11, 8:11] = True  # OpenCV's fill has the last row and column
    assert (first.id, first.image, first.height, first.width) == ("1_o-0", "val/1_o.png", 40, 60)
    assert first.text == "What holds the tea?"
    assert (first.tags, second.tags) == (
        ("dataset:reasonseg", "query:long"),
        ("dataset:reasonseg", "query:long", "paraphrase"),
    )
    (target,) = first.targets
    assert target.segmentation == rle.encode((mask(11) | mask(13)) & ~ignored)
    assert first.ignore == rle.encode(ignored)
    assert first.mask_type is None


def test_small_shapes_lie_over_large_ones_and_the_first_over_its_equal(tmp_path: Path) -> None:
    ignore, target = shape("ignore", corners(11)), shape("target", corners(11))
    small = shape("ignore", corners(14))
    for shapes, targets, ignored in (
        ([target, ignore], mask(11), None),
        ([ignore, target], None, mask(11)),
        ([small, shape("target", [[0, 0], [59, 0], [59, 39], [0, 39]])], ~mask(14), mask(14)),
    ):
        folder = write_reasonseg(tmp_path, reasonseg_item(shapes=shapes))
        query, _ = read(folder)
        found = [one.segmentation for one in query.targets]
        assert found == ([] if targets is None else [rle.encode(targets)])
        assert query.ignore == (None if ignored is None else rle.encode(ignored))


def test_files_may_be_cp1252(tmp_path: Path) -> None:
    folder = write_reasonseg(tmp_path)
    file = folder / "val/1_o.json"
    text = json.dumps(reasonseg_item(text="a €5 café cup"), ensure_ascii=False)
    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        file.write_bytes(text.encode(encoding))
        assert [one.text for one in read(folder)] == ["a €5 café cup"]
    file.write_bytes(text.encode("cp1252").replace(b"caf", b"\x81\xff"))
    with pytest.raises(DataError, match=r"1_o\.json: expected UTF-8 or cp1252, got byte 0x"):
        read(folder)


def test_the_size_comes_from_the_picture_or_the_file(tmp_path: Path) -> None:
    folder = write_reasonseg(tmp_path, picture=False)
    with pytest.raises(DataError, match="--images"):
        read(folder)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    exif = Image.Exif()
    exif[274] = 6  # lies on its side
    Image.new("RGB", (SIZE_HW[0], SIZE_HW[1])).save(pictures / "1_o.jpg", exif=exif)
    query, _ = read(folder, images=pictures)
    assert (query.image, query.height, query.width) == ("1_o.jpg", *SIZE_HW)
    (pictures / "1_o.jpg").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"1_o\.jpg: expected a picture of kind PNG"):
        read(folder, images=pictures)
    said = reasonseg_item(imageHeight=SIZE_HW[0], imageWidth=SIZE_HW[1])
    query, _ = read(write_reasonseg(tmp_path / "said", said, picture=False))
    assert (query.image, query.height, query.width) == ("val/1_o.jpg", *SIZE_HW)


def test_a_folder_of_files_and_a_single_file_are_read(tmp_path: Path) -> None:
    folder = write_reasonseg(tmp_path)
    assert recognise(folder / "val").splits(folder / "val") == ["val"]
    assert read(folder / "val")[0].image == "1_o.png"
    file = folder / "val/1_o.json"
    assert recognise(file).splits(file) == ["all"]
    assert read(file, "all")[0].image == "1_o.png"
    with pytest.raises(ConfigError, match="split 'test' is not there; expected val"):
        read(folder, "test")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shapes": None}, "key 'shapes'"),
        ({"shapes": [5]}, "shape 1: expected an object"),
        ({"shapes": [{"label": 3}]}, "shape 1: expected an object with a label"),
        ({"shapes": [shape("target", [])]}, "shape 1: expected points"),
        ({"shapes": [shape("target", [[1, float("inf")]])]}, "Infinity is not JSON"),
        ({"shapes": [shape("target", [[1, 1e300]])]}, "shape 1: expected points"),
        ({"text": []}, "key 'text'"),
        ({"text": ["fine", ""]}, "text 2: the sentence is empty"),
        ({"text": [None]}, "text 1: expected a sentence"),
    ],
)
def test_bad_files_are_named_or_skipped(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    folder = write_reasonseg(tmp_path, reasonseg_item(**change))
    with pytest.raises(DataError, match=message) as caught:
        read(folder)
    assert "1_o.json" in str(caught.value)
    write_json(folder / "val/2_o.json", reasonseg_item(height=40, width=60))
    bad = BadRecords(skip=True)
    assert [one.id for one in read(folder, bad=bad)] == ["2_o-0", "2_o-1"]
    assert [one["where"] for one in bad.listed] == [str(folder / "val/1_o.json")]


def test_counts_need_no_pictures(tmp_path: Path) -> None:
    folder = write_reasonseg(tmp_path, picture=False)
    counts = recognise(folder).counts
    assert counts is not None
    assert counts(folder, BadRecords()) == {"val": {"images": 1, "queries": 2}}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    content=st.binary(max_size=30)
    | st.builds(
        lambda place, byte: (
            (text := json.dumps(reasonseg_item()).encode())[: place % len(text)]
            + byte
            + text[place % len(text) + 1 :]
        ),
        st.integers(0, 5_000),
        st.binary(max_size=2),
    )
)
def test_any_bytes_give_records_or_a_data_error(content: bytes, tmp_path: Path) -> None:
    folder = write_reasonseg(tmp_path)
    (folder / "val/1_o.json").write_bytes(content)
    FORMATS["reasonseg"].recognises(folder)
    with contextlib.suppress(DataError):
        read(folder)


@pytest.mark.skipif(not REAL.is_dir(), reason="no real annotations")
def test_real_files_have_the_pixels_of_lisas_own_code(tmp_path: Path) -> None:
    expected = json.loads((SHARED / "real/EXPECTED.json").read_text())
    sizes = {"10619389843_339d3c9434_o": (2382, 5185), "100706138_4dd951b10b_o": (400, 458)}
    for key, counts in expected.items():
        stem = key.removeprefix("reasonseg/").partition(".json")[0]
        if stem not in sizes:
            continue
        height, width = sizes[stem]
        Image.new("L", (width, height)).save(tmp_path / f"{stem}.png")
        query, *_ = read_reasonseg_file(REAL / f"{stem}.json", root=REAL, images=tmp_path)
        assert sum(rle.area(one.segmentation) for one in query.targets) == counts["target_px"]
        assert (rle.area(query.ignore) if query.ignore else 0) == counts["ignore_px"]
        sizes.pop(stem)
    assert not sizes
    assert recognise(REAL).name == "reasonseg"
