"""The page of an evaluation: what it shows, what it refers to, and that texts stay texts."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmark import EVIL, SIZE_HW, area, half, nothing, query, right, write_benchmark
from pages import Page, read_page

from askmask.errors import ImageError
from askmask.formats.askmask import PredictedMask, Prediction, QueryRecord, read_queries
from askmask.images import read_image
from askmask.metrics import evaluate
from askmask.reports.choice import Case, at_random, worst
from askmask.reports.page import FILES, write_page
from askmask.reports.pictures import MOST_MASKS, drawn_masks, write_pictures
from askmask.types import MaskType


@pytest.fixture
def queries(tmp_path: Path) -> list[QueryRecord]:
    return [*read_queries(write_benchmark(tmp_path / "data"))]


def answers_to(queries: list[QueryRecord]) -> list[Prediction]:
    """The first fails, the second is half right, the others are right."""
    first, second, *others = queries
    return [
        Prediction(first.id, error="out of <memory>"),
        replace(half(second), rationale="it is <b>red</b>"),
        *map(right, others),
    ]


def build(tmp_path: Path, queries: list[QueryRecord], answers: list[Prediction]) -> Page:
    out = tmp_path / "page"
    out.mkdir()
    report = evaluate(queries, answers, allow_missing=True, data="abc", resamples=20)
    problems = write_page(out, "run <1>", report, queries, answers, tmp_path / "data")
    page = read_page(out)
    page.problems = problems  # type: ignore[attr-defined]
    return page


def test_the_page_has_its_sections_and_files(tmp_path: Path, queries: list[QueryRecord]) -> None:
    page = build(tmp_path, queries, answers_to(queries))
    assert [page.texts("title")[0], *page.texts("h1")] == ["run <1>"] * 2
    assert page.texts("h2") == ["Plots", "Worst 8", "Random 8"]
    captions = page.texts("caption")
    assert captions[0] == "Figures"
    assert captions[1].startswith("Mask types")
    assert captions[2].startswith("Slices")
    plots = page.texts("figcaption")[:5]
    assert plots == [
        "Queries by IoU",
        "gIoU by slice",
        "Mask type: asked (rows), answered (columns)",
        "Reliability of type",
        "Reliability of selection",
    ]
    assert len(page.all("article")) == 16
    assert all(one.attributes["alt"] for one in page.all("img"))
    written = {path.name for path in (tmp_path / "page").iterdir()}
    assert len([name for name in written if name.endswith(".webp")]) == 16
    assert all(re.fullmatch(FILES, name) for name in written)
    assert page.problems == []  # type: ignore[attr-defined]


def test_the_worst_come_first_and_say_why(tmp_path: Path, queries: list[QueryRecord]) -> None:
    page = build(tmp_path, queries, answers_to(queries))
    cards = page.texts("article")
    assert "failed: out of <memory>" in cards[0]
    assert "IoU 0.0 · q0" in cards[0]
    assert "IoU 50.0 · q1" in cards[1]
    assert "Because: it is <b>red</b>" in cards[1]
    assert "Answer: modal (0.10), scores 0.60" in cards[1]
    assert "Truth: amodal, mug" in cards[1]
    assert [one.text.split(":")[0] for one in page.all("figcaption", "wrong")] == ["Answer"] * 4


def test_texts_are_inert(tmp_path: Path, queries: list[QueryRecord]) -> None:
    page = build(tmp_path, queries, answers_to(queries))
    assert page.all("script") == []
    assert {one.attributes["src"][:6] for one in page.all("img")} == {"query-"}  # type: ignore[index]
    assert EVIL in page.texts("p", "sentence")
    assert "<i>" in page.texts("span")
    assert page.all("i") == []
    assert not any(key.startswith("on") for one in page.elements for key in one.attributes)


def test_the_page_asks_for_nothing_outside(tmp_path: Path, queries: list[QueryRecord]) -> None:
    build(tmp_path, queries, answers_to(queries))
    for name in ("index.html", "page.css"):
        text = (tmp_path / "page" / name).read_text("utf-8")
        assert not re.search(r"https?:|//[a-z]+\.|@import|url\(|fetch\(", text), name


def test_a_missing_picture_is_said_and_its_masks_stand_on_grey(
    tmp_path: Path, queries: list[QueryRecord]
) -> None:
    (tmp_path / "data/images/0.png").unlink()
    page = build(tmp_path, queries, answers_to(queries))
    (problem,) = page.problems  # type: ignore[attr-defined]
    assert "0.png" in problem
    assert any("could not be read: 1;" in text for text in page.texts("p", "note"))
    assert page.texts("p", "note").count(problem) == 6  # q0, q3 and q6, worst and random
    pixels = read_image(tmp_path / "page/query-000004-truth.webp")
    assert np.ptp(pixels.astype(int), axis=2).max() > 30  # coloured masks


def test_missing_answers_are_said(tmp_path: Path, queries: list[QueryRecord]) -> None:
    page = build(tmp_path, queries, answers_to(queries)[:-1])
    assert "1 missing" in page.texts("header")[0]
    assert sum("no prediction in the file" in card for card in page.texts("article")) == 2


def test_what_every_query_counted(tmp_path: Path, queries: list[QueryRecord]) -> None:
    build(tmp_path, queries, answers_to(queries))
    with (tmp_path / "page/queries.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == [one.id for one in queries]
    assert [float(row["iou"]) for row in rows] == [0, 0.5, 1, 1, 1, 1, 1, 1]
    assert (rows[0]["failed"], rows[0]["answered_type"]) == ("True", "")
    assert (rows[1]["asked_type"], rows[1]["answered_type"]) == ("amodal", "modal")
    assert (rows[1]["intersection"], rows[1]["union"]) == ("512", "1024")


def test_no_queries_make_a_page_too(tmp_path: Path) -> None:
    page = build(tmp_path, [], [])
    assert page.texts("h2") == ["Plots", "Worst 0", "Random 0"]


def patch(path: Path, columns: slice) -> np.ndarray:
    """Pixels of some columns of the target; pictures are enlarged."""
    image = read_image(path).astype(int)
    factor = image.shape[1] // SIZE_HW[1]
    return image[12 * factor : 36 * factor, columns.start * factor : columns.stop * factor]


def coloured(path: Path, columns: slice) -> float:
    """Share of pixels that are not grey."""
    return float((np.ptp(patch(path, columns), axis=2) > 30).mean())


def stripes(path: Path, columns: slice) -> float:
    """How uneven the red is; the first mask is drawn in blue."""
    return float(patch(path, columns)[..., 0].std())


def test_visible_is_filled_and_hidden_hatched(tmp_path: Path) -> None:
    write_benchmark(tmp_path)
    asked = query(1)
    left, right_part = slice(10, 12), slice(34, 38)  # away from outlines and badges
    names, problem = write_pictures(tmp_path, Case(0, 1.0, asked, right(asked)), tmp_path)
    assert problem is None
    for path in (tmp_path / name for name in names):
        assert coloured(path, left) == 1.0
        assert coloured(path, right_part) > 0.5
        assert stripes(path, right_part) > 10 > 5 > stripes(path, left)
    write_pictures(tmp_path, Case(0, 0.0, asked, nothing(asked)), tmp_path)
    assert coloured(tmp_path / names[0], left) == 0.0


def test_a_picture_of_another_size_is_said(tmp_path: Path) -> None:
    write_benchmark(tmp_path)
    asked = QueryRecord("q", "images/0.png", 10, 10, "it", ())
    _, problem = write_pictures(tmp_path, Case(0, 1.0, asked, nothing(asked)), tmp_path)
    assert problem is not None
    assert "expected 10 x 10" in problem


def test_a_claimed_size_beyond_all_bounds_is_refused(tmp_path: Path) -> None:
    asked = QueryRecord("q", "images/0.png", 100_000, 100_000, "it", ())
    with pytest.raises(ImageError, match="query q: expected a picture of at most"):
        write_pictures(tmp_path, Case(0, 1.0, asked, nothing(asked)), tmp_path)


def test_masks_are_drawn_best_first_and_not_too_many() -> None:
    masks = tuple(PredictedMask(area(8, 9 + n), n / 100) for n in range(40))
    shown = drawn_masks(Prediction("q", MaskType.MODAL, masks=masks))
    assert shown[0] == (masks[-1].segmentation, masks[-1].segmentation)
    assert len(shown) == MOST_MASKS
    fused = drawn_masks(Prediction("q", MaskType.HIDDEN, fused=area(8, 20)))
    assert fused[0][0] == area(8, 20)
    assert fused[0][1] == area(8, 8)  # nothing of a hidden part shows
    assert drawn_masks(Prediction("q", masks=masks, error="x")) == []


def test_choices_are_seeded() -> None:
    values = np.array([1.0, *[0.0] * 30, 0.5])
    assert set(worst(values, 30, seed=0)) == {*range(1, 31)}
    assert worst(values, 99, seed=0)[-2:] == [31, 0]
    assert worst(values, 5, seed=1) == worst(values, 5, seed=1) != worst(values, 5, seed=2)
    drawn = at_random(100, 10, seed=1)
    assert drawn == sorted(set(drawn)) == at_random(100, 10, seed=1) != at_random(100, 10, seed=2)
    assert at_random(3, 10, seed=1) == [0, 1, 2]
