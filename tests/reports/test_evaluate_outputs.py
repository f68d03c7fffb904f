"""`askmask evaluate --csv FILE --report DIR`."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from benchmark import half, write_benchmark, write_run
from command import Run
from pages import read_page

from askmask.formats.askmask import read_queries


@pytest.fixture
def command(tmp_path: Path) -> tuple[object, ...]:
    path = write_benchmark(tmp_path / "data")
    folder = write_run(tmp_path / "habit", path, [half(one) for one in read_queries(path)])
    return ("evaluate", folder / "predictions.jsonl", "--against", path, "--protocol", "r2sm")


def test_all_outputs_at_once(run: Run, command: tuple[object, ...]) -> None:
    result = run(*command, "--csv", "figures.csv", "--report", "page", "--json")
    assert (result.code, result.err) == (0, "")
    figures = json.loads(result.out)["metrics"]
    with Path("figures.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    values = {name: figure["value"] for name, figure in figures.items()}
    assert {row["metric"]: row["value"] for row in rows if not row["slice"]} == {
        name: "" if value is None else repr(value) for name, value in values.items()
    }
    page = read_page(Path("page"))
    assert page.texts("h1") == ["habit"]
    assert figures["gIoU"]["signature"] in page.texts("code")


def test_a_missing_picture_is_a_warning(
    run: Run, command: tuple[object, ...], tmp_path: Path
) -> None:
    (tmp_path / "data/images/0.png").unlink()
    result = run(*command, "--report", "page")
    assert result.code == 0
    assert result.err.startswith("pictures that could not be read: 1, ")
    assert "0.png" in result.err


def test_the_page_replaces_an_older_one_only(run: Run, command: tuple[object, ...]) -> None:
    Path("page").mkdir()
    for name in ("query-000999-truth.webp", "mine.txt"):
        Path("page", name).write_text("old")
    assert run(*command, "--report", "page").code == 0
    assert not Path("page/query-000999-truth.webp").exists()
    assert Path("page/mine.txt").exists()


def test_places_that_cannot_be_written(run: Run, command: tuple[object, ...]) -> None:
    Path("file").write_text("")
    assert "none/a.csv: cannot be written" in run(*command, "--csv", "none/a.csv").error
    assert "expected a folder" in run(*command, "--report", "file").error
