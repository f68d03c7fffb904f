"""Folders of PNG masks: whose they are, one mask or instances, and how wrong ones are named."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from asked_queries import LEFT, NONE, RIGHT, equal, instances, read, write_mask

from askmask import rle
from askmask.errors import DataError, ImageError

BOTH = LEFT * 1 + RIGHT * 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "masks"


def test_one_file_a_query_is_its_fused_answer(tmp_path: Path, folder: Path) -> None:
    write_mask(folder / "a#0.png", LEFT)
    write_mask(folder / "12.png", RIGHT * 1)  # 0 and 1
    write_mask(folder / "x" / "y.png", NONE)
    write_mask(folder / ".hidden.png", LEFT)
    found = read(tmp_path, folder)
    assert {*found} == {"a#0", "12", "x/y"}
    for name, mask in [("a#0", LEFT), ("12", RIGHT), ("x/y", NONE)]:
        assert found[name].fused == rle.encode(mask)
        assert found[name].masks == ()
    assert found["12"].place == str(folder / "12.png")


def test_names_may_be_percent_encoded(tmp_path: Path, folder: Path) -> None:
    write_mask(folder / "x%2Fy.png", LEFT)
    write_mask(folder / "a%230.png", RIGHT)
    assert {*read(tmp_path, folder)} == {"x/y", "a#0"}


def test_numbered_files_are_instances(tmp_path: Path, folder: Path) -> None:
    write_mask(folder / "a#0_0.png", LEFT)
    write_mask(folder / "a#0_1.png", RIGHT)
    write_mask(folder / "12_1.png", RIGHT)  # numbers may start at 1
    write_mask(folder / "e.png", NONE)
    found = read(tmp_path, folder)
    assert equal(instances(found["a#0"]), [LEFT, RIGHT])
    assert [mask.score for mask in found["a#0"].masks] == [1.0, 1.0]
    assert equal(instances(found["12"]), [RIGHT])
    assert (found["e"].masks, found["e"].fused) == ((), None)


def test_numbers_in_one_file_are_instances(tmp_path: Path, folder: Path) -> None:
    write_mask(folder / "12.png", NONE)  # says nothing; the next file decides
    write_mask(folder / "a#0.png", BOTH)
    write_mask(folder / "e.png", RIGHT * 1)
    found = read(tmp_path, folder)
    assert equal(instances(found["a#0"]), [LEFT, RIGHT])
    assert equal(instances(found["e"]), [RIGHT])
    assert found["12"].masks == ()


def test_palette_means_instances_of_any_index(tmp_path: Path, folder: Path) -> None:
    write_mask(folder / "a#0.png", LEFT * 7 + RIGHT * 200, "P")
    write_mask(folder / "e.png", LEFT * 9, "P")
    found = read(tmp_path, folder)
    assert equal(instances(found["a#0"]), [LEFT, RIGHT])
    assert equal(instances(found["e"]), [LEFT])


def test_the_caller_may_say_what_the_files_are(tmp_path: Path, folder: Path) -> None:
    write_mask(folder / "e.png", LEFT)
    assert read(tmp_path, folder, "png")["e"].fused is not None
    assert equal(instances(read(tmp_path, folder, "png-instances")["e"]), [LEFT])


SOFT = np.arange(48).reshape(6, 8)


def broken(folder: Path, case: str) -> None:
    """Write one wrong file, or two."""
    match case:
        case "other size":
            write_mask(folder / "e.png", LEFT.T)
        case "other size of an instance":
            write_mask(folder / "e_0.png", LEFT)
            write_mask(folder / "e_1.png", LEFT.T)
        case "no query":
            write_mask(folder / "b#0.png", LEFT)
        case "no query with a number":
            write_mask(folder / "b#0_0.png", LEFT)
        case "soft mask":
            write_mask(folder / "e.png", SOFT)
        case "instances among masks":
            write_mask(folder / "12.png", LEFT)
            write_mask(folder / "e.png", BOTH)
        case "gap":
            write_mask(folder / "e_0.png", LEFT)
            write_mask(folder / "e_2.png", LEFT)
        case "late start":
            write_mask(folder / "e_2.png", LEFT)
        case "both":
            write_mask(folder / "e.png", LEFT)
            write_mask(folder / "e_0.png", LEFT)
        case "twice":
            write_mask(folder / "x" / "y.png", LEFT)
            write_mask(folder / "x%2Fy.png", LEFT)
        case "other file":
            write_mask(folder / "e.png", LEFT)
            (folder / "notes.txt").write_text("half of them")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("other size", r"e\.png: expected height and width \[6, 8\] .*'e', got \[8, 6\]"),
        ("other size of an instance", r"e_1\.png: expected height and width"),
        ("no query", r"b#0\.png: expected the id of a query in .*queries\.jsonl \('a#0'"),
        ("no query with a number", r"b#0_0\.png: expected the id"),
        ("soft mask", r"e\.png: expected instance numbers 1, 2, 3, …, got 47 values"),
        ("instances among masks", r"e\.png: expected one mask.*--predictions-format png-instances"),
        ("gap", r"e_2\.png: expected instance 1 of query 'e' before it"),
        ("late start", r"e_2\.png: expected instance 0 of query 'e' before it"),
        ("both", r"e\.png: query 'e' has .*e_0\.png too"),
        ("twice", r"y\.png: query 'x/y' has another file"),
        ("other file", r"notes\.txt: expected only \.png files"),
    ],
)
def test_wrong_files_are_named(tmp_path: Path, folder: Path, case: str, message: str) -> None:
    broken(folder, case)
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, folder)
    assert "\n" not in str(caught.value)
    shutil.rmtree(folder)
    write_mask(folder / "e.png", LEFT)
    assert {*read(tmp_path, folder)} == {"e"}  # so that the check above can fail


def test_soft_masks_and_instances_are_not_fused_in_silence(tmp_path: Path, folder: Path) -> None:
    for pixels in (SOFT, BOTH):
        write_mask(folder / "e.png", pixels)
        with pytest.raises(DataError, match="expected one mask"):
            read(tmp_path, folder, "png")
    write_mask(folder / "e_0.png", LEFT)
    (folder / "e.png").unlink()
    with pytest.raises(DataError, match=r"e_0\.png: expected one mask a query, got instance 0"):
        read(tmp_path, folder, "png")


def test_broken_picture_is_named(tmp_path: Path, folder: Path) -> None:
    write_mask(folder / "e.png", LEFT)
    raw = (folder / "e.png").read_bytes()
    (folder / "e.png").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(ImageError, match=r"e\.png"):
        read(tmp_path, folder)
