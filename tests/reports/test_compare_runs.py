"""`askmask compare`: known differences, and runs that cannot be compared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmark import half, right, write_benchmark, write_run
from command import Run
from PIL import Image

from askmask import rle
from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import QueryRecord, read_queries
from askmask.reports.compare import compare_runs, run_names
from askmask.reports.published import published


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """A run that is half right on half of the queries, and two that are right."""
    path = write_benchmark(tmp_path / "data")
    asked = list(read_queries(path))
    return [
        write_run(tmp_path / "habit", path, [half(one) for one in asked]),
        write_run(tmp_path / "reader", path, [right(one) for one in asked]),
        write_run(tmp_path / "again", path, [right(one) for one in reversed(asked)]),
    ]


def test_differences_are_run_minus_first(runs: list[Path]) -> None:
    comparison = compare_runs(runs)
    assert comparison.names == ("habit", "reader", "again")
    for found in comparison.differences:
        giou = found["gIoU"]
        assert giou.value == pytest.approx(0.25)
        assert 0 <= giou.low <= giou.value <= giou.high <= 0.5
        assert (giou.wins, giou.losses, giou.n) == (4, 0, 8)
        assert giou.p_value == pytest.approx(2 / 2**4)
        assert found["mask-type-accuracy"].value == 0.5
    same = compare_runs(runs[1:]).differences[0]["gIoU"]
    assert (same.value, same.wins, same.losses) == (0, 0, 0)
    turned = compare_runs(runs[1::-1]).differences[0]["gIoU"]
    assert (turned.value, turned.losses) == (pytest.approx(-0.25), 4)


def test_a_run_of_other_queries_is_refused(runs: list[Path], tmp_path: Path) -> None:
    other = write_benchmark(tmp_path / "other", count=6)
    alien = write_run(tmp_path / "alien", other, [right(one) for one in read_queries(other)])
    with pytest.raises(DataError, match=r"alien: has predicted other queries than .*same queries"):
        compare_runs([runs[0], alien])


def test_the_queries_must_be_found(runs: list[Path], tmp_path: Path) -> None:
    (tmp_path / "data/queries.jsonl").rename(tmp_path / "moved.jsonl")
    with pytest.raises(ConfigError, match=r"queries\.jsonl is not there; name it with --against"):
        compare_runs(runs)
    assert compare_runs(runs, tmp_path / "moved.jsonl").reports[0].n == 8
    files = [run / "predictions.jsonl" for run in runs]
    with pytest.raises(ConfigError, match="no run names its queries file"):
        compare_runs(files)
    assert len(compare_runs(files, tmp_path / "moved.jsonl").differences) == 2


def test_what_is_no_run_is_named(runs: list[Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: expected a run folder, PNG masks, or results"):
        compare_runs([runs[0], tmp_path / "empty"])
    with pytest.raises(DataError, match="nothing: expected a run folder"):
        compare_runs([runs[0], tmp_path / "nothing"])
    with pytest.raises(DataError, match=r"queries.jsonl: expected only .png files"):
        compare_runs([runs[0], tmp_path / "data"])
    (runs[1] / "run.json").write_text('{"model": {"id": 3}}')
    with pytest.raises(DataError, match=r"run\.json, key 'model\.id'"):
        compare_runs(runs)


def test_missing_answers_are_refused_or_scored(runs: list[Path]) -> None:
    path = runs[1] / "predictions.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(DataError, match="1 of 8 queries have none"):
        compare_runs(runs[:2])
    found = compare_runs(runs[:2], allow_missing=True)
    assert (found.reports[1].missing, found.differences[0]["gIoU"].n) == (1, 8)


def _coco_and_png(asked: list[QueryRecord], folder: Path) -> tuple[Path, Path]:
    """Write the right answers as other codes do."""
    answers = [right(one) for one in asked]
    results = [
        {"image_id": one.id, "segmentation": mask.segmentation, "score": mask.score}
        for one in answers
        for mask in one.masks
    ]
    (folder / "results.json").write_text(json.dumps(results))
    (folder / "masks").mkdir()
    for one in answers:
        mask = rle.decode(one.masks[0].segmentation)
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"{one.id}.png")
    return folder / "results.json", folder / "masks"


def test_results_of_other_codes_are_compared(run: Run, runs: list[Path], tmp_path: Path) -> None:
    coco, png = _coco_and_png([*read_queries(tmp_path / "data/queries.jsonl")], tmp_path)
    comparison = compare_runs([runs[0], coco, png])
    assert comparison.names == ("habit", "results.json", "masks")
    for found in comparison.differences:
        assert found["gIoU"].value == pytest.approx(0.25)
    assert comparison.reports[1].metrics["AP"].value == pytest.approx(1)
    assert "AP" in comparison.reports[2].undefined
    told = run("compare", runs[1], coco, "--predictions-format", "coco", "--protocol", "res")
    assert told.code == 1  # the run holds lines
    assert run("compare", runs[1], coco, "--predictions-format", "tar").code == 2
    against = ("--against", tmp_path / "data/queries.jsonl", "--predictions-format", "png")
    assert run("compare", png, png, *against, "--protocol", "res").code == 0


def test_half_a_line_is_left_out_where_missing_ones_are(run: Run, runs: list[Path]) -> None:
    path = runs[1] / "predictions.jsonl"
    path.write_text(path.read_text()[:-30])
    assert "the file ends in the middle of this line" in run("compare", *runs[:2]).error
    told = run("compare", *runs[:2], "--allow-missing", "--json")
    assert (told.code, "it is left out" in told.err) == (0, True)


def test_one_run_is_too_few(runs: list[Path]) -> None:
    with pytest.raises(ConfigError, match="two or more"):
        compare_runs(runs[:1])


def test_names_are_short_and_different(tmp_path: Path) -> None:
    assert run_names([Path("a/x"), Path("b/y/")]) == ("x", "y")
    assert run_names([Path("a/x"), Path("b/x"), Path("z")]) == ("a/x", "b/x", "z")


def test_json_and_table(run: Run, runs: list[Path]) -> None:
    result = run("compare", *runs, "--json", "--published", "r2sm d2sa")
    found = json.loads(result.out)
    assert (result.code, result.err) == (0, "")
    assert [one["run"] for one in found["runs"]] == ["habit", "reader", "again"]
    assert found["runs"][0]["metrics"]["gIoU"]["value"] == 0.75
    assert [one["minus"] for one in found["differences"]] == ["habit", "habit"]
    difference = found["differences"][0]["metrics"]["gIoU"]
    assert set(difference) == {"value", "low", "high", "n", "wins", "losses", "p_value"}
    assert {row["benchmark"] for row in found["published"]} == {"R2SM D2SA"}
    assert "method" not in found["runs"][0]
    result = run("compare", *runs[:2], "--protocol", "r2sm", "--published", "R2SM D2SA")
    assert "reader minus habit: protocol r2sm, 8 queries" in " ".join(result.out.split())
    assert "+25.00" in result.out
    assert "not our runs" in result.out
    assert "gIoU|protocol:r2sm" in result.out


def test_wrong_command_lines(run: Run, runs: list[Path]) -> None:
    assert run("compare", runs[0]).code == 2
    assert run("compare", *runs, "--protocol", "coco").code == 2
    assert "R2SM COCOA-cls" in run("compare", *runs, "--published", "ImageNet").error
    assert "expected a run folder" in run("compare", runs[0], "none").error


def test_published_figures_are_those_of_the_papers() -> None:
    rows = published("r2sm")
    tables = {"R2SM, arXiv 2506.01795, Table 2": 0, "R2SM, arXiv 2506.01795, Table 3": 0}
    for row in rows:
        tables[row.source] += len(row.figures)
    assert tables == {"R2SM, arXiv 2506.01795, Table 2": 120, "R2SM, arXiv 2506.01795, Table 3": 26}
    best = next(r for r in rows if (r.benchmark, r.method) == ("R2SM D2SA", "ReLA (fine-tuned)"))
    assert best.figures == {"gIoU": 0.8318, "cIoU": 0.8124}
    for row in published("R") + published("M") + published("g"):
        assert row.source
        assert row.read
        assert all(0 < value < 1 for value in row.figures.values())
