"""`askmask complete`: what it writes and prints, and every input that it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_result import Run
from fake_segmenter import picture
from PIL import Image

from askmask import rle
from askmask.formats.askmask import Prediction
from askmask.models.completer.baselines import convex_hull

RED = (picture() == (200, 0, 0)).all(2)
BLUE = (picture() == (0, 0, 200)).all(2)
HULL = ("--completer", "convex-hull", "--out", "out")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def save_mask(path: Path, mask: np.ndarray) -> Path:
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)
    return path


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image) > 0


@pytest.fixture
def red(tmp_path: Path) -> Path:
    return save_mask(tmp_path / "red.png", RED)


class TestResults:
    def test_files_are_overlay_masks_hidden_parts_and_record(
        self, run: Run, kitchen: Path, red: Path
    ) -> None:
        result = run("complete", kitchen, red, *HULL)
        assert result.code == 0
        assert names(Path("out")) == [
            "hidden-1.png",
            "mask-1.png",
            "overlay.png",
            "prediction.json",
        ]
        whole = convex_hull(RED)
        assert whole.sum() > RED.sum()
        np.testing.assert_array_equal(pixels("out/mask-1.png"), whole)
        np.testing.assert_array_equal(pixels("out/hidden-1.png"), whole & ~RED)
        assert f"{whole.sum()} pixels, {(whole & ~RED).sum()} of them hidden" in result.out
        assert "confidence 0.50" in result.out

    def test_the_overlay_shows_the_hidden_part_hatched(
        self, run: Run, kitchen: Path, red: Path
    ) -> None:
        run("complete", kitchen, red, *HULL)
        with Image.open("out/overlay.png") as image:
            drawn = np.asarray(image).astype(int)
        factor = drawn.shape[0] // 40
        hidden = (convex_hull(RED) & ~RED).repeat(factor, 0).repeat(factor, 1)
        visible = RED.repeat(factor, 0).repeat(factor, 1)
        # Stripes: the hidden part is lighter and darker by turns, the visible part is one tone.
        assert drawn[hidden].std(0).max() > 2 * drawn[visible].std(0).min()

    def test_json_is_the_prediction_record_and_nothing_else(
        self, run: Run, kitchen: Path, red: Path
    ) -> None:
        result = run("complete", kitchen, red, *HULL, "--json")
        assert result.err == ""
        record = json.loads(result.out)
        assert record == json.loads(Path("out/prediction.json").read_text())
        read = Prediction.from_json(record, "stdout")
        assert read.id == "kitchen"
        assert read.mask_type == "amodal"
        (mask,) = read.masks
        assert mask.modal is not None
        np.testing.assert_array_equal(rle.decode(mask.modal), RED)
        np.testing.assert_array_equal(rle.decode(mask.segmentation), convex_hull(RED))

    def test_several_masks_codes_and_points_in_the_order_given(
        self, run: Run, kitchen: Path, red: Path, tmp_path: Path
    ) -> None:
        code = tmp_path / "blue.json"
        code.write_text(json.dumps([rle.encode(BLUE), rle.encode(RED)]))
        result = run("complete", kitchen, "20,20", code, red, *HULL)
        assert result.code == 0, result.err
        assert "4 masks" in result.out
        assert pixels("out/mask-1.png")[20:35, 15:35].all()  # the green box of the fake model
        np.testing.assert_array_equal(pixels("out/mask-2.png"), BLUE)
        np.testing.assert_array_equal(pixels("out/mask-3.png"), pixels("out/mask-4.png"))

    def test_only_points_load_the_model(self, run: Run, kitchen: Path, red: Path) -> None:
        assert run("complete", kitchen, red, *HULL, "--model", "no-such").code == 0
        result = run("complete", kitchen, "20,20", *HULL, "--model", "no-such")
        assert "model 'no-such' is not known" in result.error

    def test_results_of_an_earlier_run_go_away_and_other_files_stay(
        self, run: Run, kitchen: Path, red: Path
    ) -> None:
        run("complete", kitchen, red, red, *HULL)
        Path("out/notes.txt").write_text("mine")
        run("complete", kitchen, red, *HULL)
        assert names(Path("out")) == [
            *("hidden-1.png", "mask-1.png", "notes.txt", "overlay.png", "prediction.json")
        ]


class TestRefusals:
    def refused(self, run: Run, *arguments: object) -> str:
        error = run("complete", *arguments, *HULL).error
        assert not Path("out").exists()
        return error

    def test_pictures_and_masks_that_cannot_be_read(
        self, run: Run, kitchen: Path, red: Path, tmp_path: Path
    ) -> None:
        assert "does not exist" in self.refused(run, tmp_path / "none.png", red)
        assert "does not exist" in self.refused(run, kitchen, tmp_path / "none.png")
        broken = tmp_path / "broken.json"
        broken.write_text("{")
        assert "broken.json" in self.refused(run, kitchen, broken)

    def test_masks_that_do_not_fit(self, run: Run, kitchen: Path, tmp_path: Path) -> None:
        small = save_mask(tmp_path / "small.png", RED[:10])
        expected = f"MASK {small}: the mask is 60 x 10 pixels, the picture is 60 x 40"
        assert self.refused(run, kitchen, small).startswith(expected)
        empty = save_mask(tmp_path / "empty.png", RED & False)
        assert "the mask is empty" in self.refused(run, kitchen, empty)

    def test_points_outside_and_on_nothing(self, run: Run, kitchen: Path) -> None:
        assert self.refused(run, kitchen, "60,1").startswith("MASK 60,1: the point is outside")
        assert self.refused(run, kitchen, "1,1").startswith("MASK 1,1: no object was found there")

    def test_completers_that_are_not_there(
        self, run: Run, kitchen: Path, red: Path, tmp_path: Path
    ) -> None:
        result = run("complete", kitchen, red, "--completer", "convex", "--out", "out")
        assert "did you mean 'convex-hull'" in result.error
        empty = tmp_path / "empty"
        empty.mkdir()
        result = run("complete", kitchen, red, "--completer", empty, "--out", "out")
        assert "lacks completer.onnx" in result.error
        assert not Path("out").exists()

    def test_a_mask_must_be_named(self, run: Run, kitchen: Path) -> None:
        assert run("complete", kitchen).code == 2
        assert run("complete", kitchen, "red.png", "--no-such-option").code == 2
