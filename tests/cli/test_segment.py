"""`askmask segment`: what it writes and prints, and every input that it refuses."""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from cli_result import Run
from fake_segmenter import FakeSegmenter, picture
from PIL import Image

from askmask import rle
from askmask.formats.askmask import Prediction

RED = (picture() == (200, 0, 0)).all(2)
BLUE = (picture() == (0, 0, 200)).all(2)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def save_mask(path: Path, mask: np.ndarray) -> Path:
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)
    return path


def with_size(png: bytes, width: int, height: int) -> bytes:
    """Claim another size in the header of a PNG file."""
    header = png[12:16] + struct.pack(">II", width, height) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


class TestResults:
    def test_files_are_overlay_masks_and_record(self, run: Run, kitchen: Path) -> None:
        result = run("segment", kitchen, "the red and the blue one", "--out", "out")
        assert result.code == 0
        assert names(Path("out")) == ["mask-1.png", "mask-2.png", "overlay.png", "prediction.json"]
        with Image.open("out/mask-1.png") as mask:
            assert mask.mode == "L"
            np.testing.assert_array_equal(np.asarray(mask), RED * np.uint8(255))
        with Image.open("out/overlay.png") as overlay:
            assert overlay.mode == "RGB"

    def test_the_folder_is_named_after_the_picture(self, run: Run, kitchen: Path) -> None:
        assert run("segment", kitchen, "the red one").code == 0
        assert (kitchen.parent / "askmask-out/kitchen/overlay.png").is_file()

    def test_json_is_the_prediction_record_and_nothing_else(self, run: Run, kitchen: Path) -> None:
        result = run("segment", kitchen, "the whole red one", "--out", "out", "--json")
        record = json.loads(result.out)
        assert result.err == ""
        assert record == json.loads(Path("out/prediction.json").read_text())
        assert Prediction.from_json(record, "stdout").id == "kitchen"
        assert record["mask_type"] == "amodal"
        assert sum(record["mask_type_probability"].values()) == pytest.approx(1)
        whole = rle.decode(record["masks"][0]["segmentation"])
        assert whole.sum() == 400
        np.testing.assert_array_equal(rle.decode(record["masks"][0]["modal"]), RED)

    def test_the_summary_names_type_scores_and_file(self, run: Run, kitchen: Path) -> None:
        out = run("segment", kitchen, "the red and the blue one", "--out", "out").out
        assert "2 masks, modal (90%)" in out
        assert "0.90" in out
        assert os.path.join("out", "overlay.png") in out  # noqa: PTH118

    def test_nothing_fits_is_an_answer(self, run: Run, kitchen: Path) -> None:
        result = run("segment", kitchen, "the elephant", "--out", "out")
        assert result.code == 0
        assert "nothing fits" in result.out
        assert names(Path("out")) == ["overlay.png", "prediction.json"]

    def test_an_unsure_answer_says_so_everywhere(self, run: Run, kitchen: Path) -> None:
        sure = run("segment", kitchen, "the red one", "--out", "sure")
        assert "unsure" not in sure.out
        assert "unsure" not in Path("sure/prediction.json").read_text()
        unsure = run("segment", kitchen, "perhaps the red one", "--out", "out")
        assert "unsure: the weakest [mask] has 0.55" in unsure.out
        record = json.loads(Path("out/prediction.json").read_text())
        assert record["unsure"] == "the weakest [mask] has 0.55"
        assert Prediction.from_json(record, "file").to_json() == record
        with Image.open("sure/overlay.png") as plain, Image.open("out/overlay.png") as longer:
            assert plain.height < longer.height

    def test_nothing_fits_may_be_unsure_too(self, run: Run, kitchen: Path) -> None:
        out = run("segment", kitchen, "perhaps an elephant", "--out", "out").out
        assert "nothing fits" in out
        assert "unsure: " in out

    @pytest.mark.parametrize(
        ("mask_type", "pixels"), [("auto", 400), ("modal", 300), ("amodal", 400), ("hidden", 100)]
    )
    def test_the_mask_type_can_be_forced(
        self, run: Run, kitchen: Path, mask_type: str, pixels: int
    ) -> None:
        result = run("segment", kitchen, "the whole red one", "--mask-type", mask_type, "--json")
        assert rle.area(json.loads(result.out)["masks"][0]["segmentation"]) == pixels

    def test_stale_masks_go_and_other_files_stay(self, run: Run, kitchen: Path) -> None:
        run("segment", kitchen, "red green blue", "--out", "out")
        Path("out/notes.txt").write_text("mine")
        Path("out/mask-mine.png").write_text("mine")
        assert len(names(Path("out"))) == 7
        run("segment", kitchen, "blue", "--out", "out")
        assert names(Path("out")) == [
            "mask-1.png",
            "mask-mine.png",
            "notes.txt",
            "overlay.png",
            "prediction.json",
        ]
        np.testing.assert_array_equal(np.asarray(Image.open("out/mask-1.png")) > 0, BLUE)

    def test_names_with_markup_and_blanks_are_printed_as_they_are(
        self, run: Run, kitchen: Path
    ) -> None:
        result = run("segment", kitchen, "the red one", "--out", "a [bold] name")
        assert "a [bold] name" in result.out


class TestReferences:
    def test_mask_code_and_point_mean_the_same(self, run: Run, kitchen: Path) -> None:
        save_mask(Path("red.png"), RED)
        Path("red.json").write_text(json.dumps(rle.encode(RED)))
        found = []
        for reference in ("red.png", "red.json", "6,6"):
            text = "the red and the blue one beside [1]"
            out = run("segment", kitchen, text, "--reference", reference, "--json").out
            found.append([mask["segmentation"] for mask in json.loads(out)["masks"]])
        assert found[0] == [rle.encode(BLUE)]
        assert found[0] == found[1] == found[2]

    def test_a_list_of_codes_counts_as_several(self, run: Run, kitchen: Path) -> None:
        Path("two.json").write_text(json.dumps([rle.encode(RED), rle.encode(BLUE)]))
        text = "between [1], [2] and [3]"
        assert (
            run("segment", kitchen, text, "--reference", "two.json", "--reference", "20,30").code
            == 0
        )

    def test_more_references_than_named_are_fine(self, run: Run, kitchen: Path) -> None:
        assert run("segment", kitchen, "the red one", "--reference", "6,6").code == 0

    @pytest.mark.parametrize(
        ("reference", "message"),
        [
            ("60,6", "outside the picture of 60 x 40 pixels"),
            ("-1,6", "outside the picture"),
            ("0,0", "--reference 0,0: no object was found there"),
            ("1;2", "does not exist"),
            ("missing.png", "missing.png"),
            ("kitchen.png ", "does not exist"),
        ],
    )
    def test_bad_points_and_names(
        self, run: Run, kitchen: Path, reference: str, message: str
    ) -> None:
        result = run("segment", kitchen, "beside [1]", f"--reference={reference}", "--out", "out")
        assert message in result.error
        assert not Path("out").exists()

    def test_a_model_without_points_says_so(self, run: Run, kitchen: Path) -> None:
        arguments = ("segment", kitchen, "[1]", "--reference", "6,6", "--model", "pointless")
        assert "model 'pointless' takes no points" in run(*arguments).error

    def test_another_size_names_both(self, run: Run, kitchen: Path) -> None:
        save_mask(Path("turned.png"), RED.T)
        Path("turned.json").write_text(json.dumps(rle.encode(RED.T)))
        for name in ("turned.png", "turned.json"):
            error = run("segment", kitchen, "[1]", "--reference", name).error
            assert name in error
            assert "40 x 60" in error
            assert "60 x 40" in error

    def test_an_empty_mask_points_at_nothing(self, run: Run, kitchen: Path) -> None:
        save_mask(Path("none.png"), RED & False)
        assert "empty" in run("segment", kitchen, "[1]", "--reference", "none.png").error

    def test_two_named_one_given(self, run: Run, kitchen: Path) -> None:
        error = run("segment", kitchen, "between [1] and [2]", "--reference", "6,6").error
        assert "says [2], but 1 reference mask was given" in error
        assert FakeSegmenter.loaded == 0

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "{",
            "[]",
            "7",
            "null",
            '"counts"',
            "{}",
            '{"size": [40, 60]}',
            '{"counts": "a"}',
            '{"size": [40], "counts": "a"}',
            '{"size": ["40", 60], "counts": "a"}',
            '{"size": [40.5, 60], "counts": "a"}',
            '{"size": [-40, 60], "counts": "a"}',
            '{"size": [400000, 600000], "counts": "a"}',
            '{"size": [40, 60], "counts": 7}',
            '{"size": [40, 60], "counts": [2400]}',
            '{"size": [40, 60], "counts": "a"}',
            '{"size": [40, 60], "counts": "\\u2713"}',
            '[{"size": [40, 60], "counts": "a"}, 3]',
            '{"size": [40, 60], "counts": NaN}',
            "[" * 5000,
        ],
    )
    def test_wrong_codes(self, run: Run, kitchen: Path, content: str) -> None:
        Path("code.json").write_text(content)
        result = run("segment", kitchen, "[1]", "--reference", "code.json", "--out", "out")
        assert "code.json" in result.error
        assert FakeSegmenter.loaded == 0
        assert not Path("out").exists()


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "empty"),
            (" \t\n", "empty"),
            ("x" * 10_000, "10,000 characters, at most 2,000"),
            ("left of [1]", "says [1], but 0 reference masks were given"),
            ("left of [0]", "says [0]"),
            ("a \udcff byte", "not valid UTF-8"),
        ],
    )
    def test_sentences(self, run: Run, kitchen: Path, text: str, message: str) -> None:
        assert message in run("segment", kitchen, text, "--out", "out").error
        assert FakeSegmenter.loaded == 0
        assert not Path("out").exists()

    @pytest.mark.parametrize("kind", ["missing", "folder", "empty", "text", "cut", "bomb"])
    def test_pictures(self, run: Run, kitchen: Path, kind: str) -> None:
        path = Path("broken.png")
        if kind == "folder":
            path.mkdir()
        elif kind == "bomb":
            path.write_bytes(with_size(kitchen.read_bytes(), 20_000, 20_000))
        elif kind != "missing":
            whole = kitchen.read_bytes()
            path.write_bytes({"empty": b"", "text": b"no picture", "cut": whole[:90]}[kind])
        assert "broken.png" in run("segment", path, "the red one", "--out", "out").error
        assert FakeSegmenter.loaded == 0
        assert not Path("out").exists()

    @pytest.mark.parametrize("out", ["taken", "taken/deeper/still", "/dev/null/out", "/proc/out"])
    def test_outputs(self, run: Run, kitchen: Path, out: str) -> None:
        Path("taken").write_text("a file")
        error = run("segment", kitchen, "the red one", "--out", out).error
        assert "cannot write to" in error
        assert FakeSegmenter.loaded == 0
        assert Path("taken").read_text() == "a file"

    def test_a_name_that_is_too_long(self, run: Run, kitchen: Path) -> None:
        assert "cannot write to" in run("segment", kitchen, "red", "--out", "x" * 300).error

    def test_a_folder_in_the_way_of_a_file(self, run: Run, kitchen: Path) -> None:
        Path("out/overlay.png").mkdir(parents=True)
        Path("out/mask-1.png").write_text("from before")
        assert "overlay.png" in run("segment", kitchen, "the red one", "--out", "out").error
        assert names(Path("out")) == ["mask-1.png", "overlay.png"]
        assert Path("out/mask-1.png").read_text() == "from before"

    def test_an_unknown_model_gets_a_hint(self, run: Run, kitchen: Path) -> None:
        error = run("segment", kitchen, "red", "--model", "embeded-v1", "--out", "a/b").error
        assert "did you mean 'embedded-v1'" in error
        assert not Path("a").exists()

    def test_a_failure_leaves_the_results_of_before(self, run: Run, kitchen: Path) -> None:
        run("segment", kitchen, "the red one", "--out", "out")
        before = {path.name: path.read_bytes() for path in Path("out").iterdir()}
        result = run("segment", kitchen, "the red one", "--out", "out", "--model", "pointless")
        assert result.code == 1
        assert before == {path.name: path.read_bytes() for path in Path("out").iterdir()}
