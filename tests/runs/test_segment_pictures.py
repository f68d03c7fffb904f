"""Runs over folders: what counts as a picture, what is asked, and the files that come of it."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from fake import FakeSegmenter
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from askmask import rle
from askmask.errors import AskmaskError, ConfigError, DataError, ImageError, OutputError, QueryError
from askmask.formats.askmask import read_predictions, read_queries
from askmask.formats.predictions.registry import predictions_for
from askmask.runs.asking import ask_pictures, find_pictures, read_sentences
from askmask.runs.folder import RunFolder
from askmask.runs.predict import Progress
from askmask.runs.segment import segment_pictures
from askmask.types import MaskType


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three pictures in two folders, and files that are none."""
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    for number, name in enumerate(["b.png", "a.JPG", "deep/a.webp"]):
        Image.fromarray(np.full((6, 8, 3), number, np.uint8)).save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(b"")
    return folder


def contents(run: Path) -> dict[Path, bytes]:
    """Every file but run.json, which has times."""
    paths = (path for path in run.rglob("*") if path.is_file() and path.name != "run.json")
    return {path: path.read_bytes() for path in paths}


def segment(photos: Path, out: Path, *texts: str, model: FakeSegmenter | None = None, **options):
    asked = ask_pictures(find_pictures([photos], out), texts, out, options.get("mask_type"))
    return segment_pictures(model or FakeSegmenter(), asked, out, **options)


class TestPictures:
    def test_names_start_from_the_folder(self, photos: Path, tmp_path: Path) -> None:
        found = find_pictures([photos], tmp_path / "out")
        assert list(found) == ["a.JPG", "b.png", "deep/a.webp"]
        assert all(path.is_file() for path in found.values())

    def test_a_picture_named_twice_is_one(self, photos: Path, tmp_path: Path) -> None:
        paths = [photos / "deep" / ".." / "b.png", photos, photos / "deep"]
        assert list(find_pictures(paths, tmp_path / "out")) == ["a.JPG", "b.png", "deep/a.webp"]

    def test_runs_of_before_are_no_pictures(self, photos: Path) -> None:
        out = photos / "out"
        segment(photos, out, "mug", overlays=True)
        assert len(list((out / "overlays").iterdir())) == 3
        assert len(find_pictures([photos], out)) == len(find_pictures([photos], photos / "x")) == 3

    def test_nothing_to_ask_about_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ImageError, match="found none"):
            find_pictures([tmp_path], tmp_path / "out")
        with pytest.raises(ImageError, match="does not exist"):
            find_pictures([tmp_path / "absent"], tmp_path / "out")


class TestSentences:
    def test_one_a_line(self, tmp_path: Path) -> None:
        path = tmp_path / "prompts.txt"
        path.write_bytes("the mug\r\n\n  die Tüte \n".encode())
        assert read_sentences(path) == ["the mug", "die Tüte"]

    @pytest.mark.parametrize(
        ("content", "message"),
        [(b"\n \n", "expected 1 to"), (b"mug\n\xff\n", "prompts.txt:2"), (b"x" * 3000, ":1")],
    )
    def test_bad_files_name_the_line(self, tmp_path: Path, content: bytes, message: str) -> None:
        path = tmp_path / "prompts.txt"
        path.write_bytes(content)
        with pytest.raises(AskmaskError, match=message):
            read_sentences(path)
        with pytest.raises(DataError, match="cannot be read"):
            read_sentences(tmp_path / "absent.txt")

    def test_references_and_repetitions_are_refused(self, tmp_path: Path) -> None:
        for texts in (["left of [1]"], ["mug", "mug"]):
            with pytest.raises(QueryError):
                ask_pictures({}, texts, tmp_path)


class TestRun:
    def test_has_the_files_of_predict_and_its_queries(self, photos: Path, tmp_path: Path) -> None:
        out, model = tmp_path / "out", FakeSegmenter()
        assert segment(photos, out, "mug", "cup", model=model) == Progress(6, 0, 6)
        assert model.encoded == 3
        names = {"run.json", "queries.jsonl", "predictions.jsonl", "errors.jsonl"}
        assert {path.name for path in out.iterdir()} == names
        queries = list(read_queries(out / "queries.jsonl"))
        assert [query.id for query in queries][:3] == ["a.JPG#1", "a.JPG#2", "b.png#1"]
        assert all((out / query.image).is_file() for query in queries)
        answered = [answer.id for answer in read_predictions(out / "predictions.jsonl")]
        assert answered == [query.id for query in queries]
        record = json.loads((out / "run.json").read_text())
        assert (record["command"], record["queries"]) == ("segment", 6)

    def test_a_broken_picture_is_an_error_of_its_own(self, photos: Path, tmp_path: Path) -> None:
        (photos / "aa.png").write_bytes(b"no picture")
        noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
        Image.fromarray(noise).save(photos / "ab.jpg")
        (photos / "ab.jpg").write_bytes((photos / "ab.jpg").read_bytes()[:1500])
        out = tmp_path / "out"
        assert segment(photos, out, "mug") == Progress(4, 1, 4)
        errors = [json.loads(line) for line in (out / "errors.jsonl").read_text().splitlines()]
        assert errors[0]["image"] == "../photos/aa.png"
        assert errors[1]["id"] == "ab.jpg#1"
        before = (out / "errors.jsonl").read_bytes()
        assert segment(photos, out, "mug", resume=True) == Progress(4, 1, 4)
        assert (out / "errors.jsonl").read_bytes() == before

    def test_a_kill_before_the_queries_stand_is_no_obstacle(
        self, photos: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        segment(photos, out, "mug")
        for path in (out / "queries.jsonl", out / "predictions.jsonl", out / "errors.jsonl"):
            path.unlink()
        assert segment(photos, out, "mug", resume=True).done == 3
        assert len(list(read_queries(out / "queries.jsonl"))) == 3

    @settings(max_examples=25)
    @given(lines=st.floats(0, 1), errors=st.floats(0, 1), draft=st.binary(max_size=9))
    def test_resume_mends_files_cut_at_any_byte(
        self, lines: float, errors: float, draft: bytes
    ) -> None:
        with TemporaryDirectory() as folder:
            photos, out = Path(folder) / "photos", Path(folder) / "out"
            photos.mkdir()
            for number in range(2):
                Image.fromarray(np.full((6, 8, 3), number, np.uint8)).save(photos / f"{number}.png")
            (photos / "broken.png").write_bytes(b"no picture")
            asked = ("mug", "crash", "cup")
            segment(photos, out, *asked, masks=True)
            whole = contents(out)
            for name, share in (("predictions.jsonl", lines), ("errors.jsonl", errors)):
                data = (out / name).read_bytes()
                (out / name).write_bytes(data[: round(share * len(data))])
            (out / "masks" / ".askmask-0123.tmp").write_bytes(draft)
            segment(photos, out, *asked, masks=True, resume=True)
            assert contents(out) == whole

    def test_resume_with_something_else_is_refused(self, photos: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        segment(photos, out, "mug")
        with pytest.raises(ConfigError, match="begun with inputs"):
            segment(photos, out, "cup", resume=True)
        with pytest.raises(ConfigError, match="begun with inputs"):
            segment(photos, out, "mug", resume=True, mask_type=MaskType.HIDDEN)
        with pytest.raises(ConfigError, match="begun with drawings"):
            segment(photos, out, "mug", resume=True, masks=True)

    def test_the_mask_type_can_be_forced(self, photos: Path, tmp_path: Path) -> None:
        model = FakeSegmenter()
        segment(photos, tmp_path / "out", "mug", model=model, mask_type=MaskType.AMODAL)
        assert {query.mask_type for query in model.asked} == {MaskType.AMODAL}

    def test_masks_are_a_layout_that_evaluate_reads(self, photos: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        segment(photos, out, "mug", "cup", masks=True, overlays=True)
        written = {
            answer.id: [mask.segmentation for mask in answer.masks]
            for answer in predictions_for(out / "masks", out / "queries.jsonl", "png-instances")
        }
        answers = list(read_predictions(out / "predictions.jsonl"))
        assert written == {one.id: [mask.segmentation for mask in one.masks] for one in answers}
        assert len(list((out / "overlays").glob("*.png"))) == 6
        assert all(rle.area(codes[0]) == 8 for codes in written.values())

    def test_two_writers_are_refused(self, photos: Path, tmp_path: Path) -> None:
        pytest.importorskip("fcntl")
        out = tmp_path / "out"
        segment(photos, out, "mug")
        with (
            RunFolder(out).appending(),
            pytest.raises(OutputError, match="another process is at work"),
        ):
            segment(photos, out, "mug", resume=True)
