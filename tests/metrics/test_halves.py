"""Two processes that score one half each: the report of one, and whatever is odd goes to one."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from records import make_prediction, make_query, perfect, rows

from askmask.errors import DataError
from askmask.formats.askmask import (
    Prediction,
    QueryRecord,
    read_predictions,
    read_queries,
    write_predictions,
    write_queries,
)
from askmask.metrics import evaluate, halves
from askmask.metrics.evaluate import evaluate_files
from askmask.metrics.halves import score_halves

QUERIES = [
    make_query(
        f"q{i}",
        [rows(j, j + i % 5 + 1) for j in range(0, i % 3 * 3, 3)],
        mask_type="amodal" if i % 4 else "modal",
        tags=["reasoning:a/b"] if i > 8 else [],
    )
    for i in range(12)
]
ANSWERS = [
    make_prediction("q0", error="no answer"),
    make_prediction("q1", fused=rows(0, 2)),
    *(make_prediction(query.id, [rows(1, 4), rows(5, 6)]) for query in QUERIES[2:7]),
    *map(perfect, QUERIES[7:]),
]


@pytest.fixture(autouse=True)
def short_files_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "_WORTH_BYTES", 0)
    monkeypatch.setattr(halves, "_START_BYTES", 0)
    monkeypatch.setattr(halves, "cores", lambda: 2)


@pytest.fixture
def files(tmp_path: Path):
    """Write queries and predictions; returns their paths."""

    def write(queries: Sequence[QueryRecord], answers: Sequence[Prediction]) -> tuple[Path, Path]:
        paths = tmp_path / "queries.jsonl", tmp_path / "predictions.jsonl"
        write_queries(paths[0], queries)
        write_predictions(paths[1], answers)
        return paths

    return write


def by_one(paths: tuple[Path, Path], protocol: str, **options: Any) -> dict[str, Any]:
    return evaluate(
        read_queries(paths[0]), read_predictions(paths[1]), protocol, **options
    ).to_json()


def refused(paths: tuple[Path, Path]) -> str:
    """Message with which one process refuses the files, as two must."""
    with pytest.raises(DataError) as one:
        by_one(paths, "gres")
    with pytest.raises(DataError) as two:
        evaluate_files(*paths, "gres")
    assert str(one.value) == str(two.value)
    return str(two.value)


SWAPPED = [ANSWERS[-1], *ANSWERS[3:-1], ANSWERS[2]]


@pytest.mark.parametrize(
    "answers",
    [ANSWERS[2:], ANSWERS[:1:-1], SWAPPED],
    ids=["in order", "reversed", "two swapped"],
)
def test_the_report_is_that_of_one_process(files, answers: list[Prediction]) -> None:
    paths = files(QUERIES[2:], answers)
    assert (score_halves(*paths, "r2sm") is None) == (answers[0].id != "q2")
    report = evaluate_files(*paths, "r2sm", data="abc").to_json()
    assert report == by_one(paths, "r2sm", data="abc")
    assert report["metrics"]["AP"]["value"] > 0
    assert [*report["slices"]] == ["mask_type=amodal", "mask_type=modal"]


def test_fused_and_failed_answers_and_ids_come_over(files) -> None:
    paths = files(QUERIES[::-1], ANSWERS[::-1])
    found = score_halves(*paths, "gres")
    assert found is not None
    scoring, ids = found
    assert [*ids] == [query.id for query in QUERIES[::-1]]
    report = scoring.report(ids)
    assert (report.failed, report.counts.fused_only.sum()) == (1, 1)
    assert report.to_json() == by_one(paths, "gres")


@pytest.mark.parametrize("line", [2, 11])
def test_a_broken_line_of_either_half_is_named(files, line: int) -> None:
    paths = files(QUERIES, ANSWERS)
    lines = paths[1].read_text().splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace('"id"', '"name"')
    paths[1].write_text("".join(lines))
    assert f"predictions.jsonl:{line}" in refused(paths)


def test_an_id_in_both_halves_is_refused(files) -> None:
    both = [*QUERIES[:6], *QUERIES[:6]], [*ANSWERS[:6], *ANSWERS[:6]]
    assert "'q0' is already in line 1" in refused(files(*both))


def test_missing_answers_may_be_allowed(files) -> None:
    paths = files(QUERIES, ANSWERS[:7])
    assert "5 of 12 queries have none" in refused(paths)
    assert evaluate_files(*paths, "gres", allow_missing=True).missing == 5


def test_switches_between_twins_need_all_queries(files) -> None:
    paths = files(QUERIES, ANSWERS)
    assert score_halves(*paths, "select") is None
    assert evaluate_files(*paths, "select").to_json() == by_one(paths, "select")


def test_one_core_is_for_one_process(files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "cores", lambda: 1)
    assert score_halves(*files(QUERIES, ANSWERS), "gres") is None


def test_a_process_that_dies_leaves_the_work_to_the_other(
    files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halves, "_CODE", "raise SystemExit(3)")
    paths = files(QUERIES, ANSWERS)
    assert score_halves(*paths, "gres") is None
    assert evaluate_files(*paths, "gres").to_json() == by_one(paths, "gres")


def test_an_interrupt_ends_the_other_process(files, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Popen(subprocess.Popen):
        def __init__(self, *given: Any, **options: Any) -> None:
            super().__init__(*given, **options)
            started.append(self)

    def interrupt(*_: object) -> None:
        assert started[0].poll() is None
        raise KeyboardInterrupt

    monkeypatch.setattr(halves, "_CODE", "import time; time.sleep(60)")
    monkeypatch.setattr(subprocess, "Popen", Popen)
    monkeypatch.setattr(halves, "_score", interrupt)
    with pytest.raises(KeyboardInterrupt):
        score_halves(*files(QUERIES, ANSWERS), "gres")
    assert started[0].poll() is not None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a file that never ends")
def test_the_second_process_ends_with_the_first(tmp_path: Path) -> None:
    endless = tmp_path / "endless"
    os.mkfifo(endless)
    job = json.dumps([[str(endless), 0, None, 1], [str(endless), 0, None, 1], "gres", "nowhere"])
    # Its input ends at once, as when the first process is killed.
    done = subprocess.run(
        [sys.executable, "-c", halves._CODE, job], stdin=subprocess.DEVNULL, timeout=60, check=False
    )
    assert done.returncode == 1
