"""The leaderboard: ranks where figures mean the same, and nowhere else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest
from benchmark import half, right, write_benchmark, write_run
from command import Run
from pages import read_page

from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import read_queries
from askmask.formats.files import file_sha256, read_json, write_json
from askmask.metrics import evaluate
from askmask.reports.leaderboard import FILES, group_runs, write_leaderboard
from askmask.reports.published import published


def finished(folder: Path, queries: Path, answer, protocol: str = "r2sm", model="toy") -> Path:  # type: ignore[no-untyped-def]
    """Run folder with figures."""
    asked = list(read_queries(queries))
    answers = [answer(one) for one in asked]
    write_run(folder, queries, answers, model)
    data = file_sha256(queries)[:12]
    report = evaluate(asked, answers, protocol, data=data, resamples=20)
    write_json(folder / "metrics.json", report.to_json())
    return folder


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    return write_benchmark(tmp_path / "data")


@pytest.fixture
def runs(tmp_path: Path, queries: Path) -> list[Path]:
    evil = finished(tmp_path / "<b>habit", queries, half, model="<i>toy</i>")
    return [evil, finished(tmp_path / "reader", queries, right)]


def edit(run: Path, old: str, new: str) -> None:
    path = run / "metrics.json"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_the_better_run_leads(runs: list[Path]) -> None:
    (group,) = group_runs(runs)
    assert list(group.runs) == ["reader", "<b>habit"]
    assert group.ranks == {"reader": 1, "<b>habit": 2}
    assert (group.ranked_by, group.unranked) == ("gIoU", None)


def test_results_of_another_code_need_no_run_json(runs: list[Path]) -> None:
    (runs[1] / "run.json").unlink()
    (group,) = group_runs(runs)
    assert group.ranks == {"reader": 1, "<b>habit": 2}
    assert [one.run.model for one in group.runs.values()] == [None, "<i>toy</i>"]


def test_folders_of_this_machine_are_not_shown(tmp_path: Path, queries: Path) -> None:
    run = finished(tmp_path / "run", queries, right, model="/home/jo/secret/mine/weights")
    write_leaderboard(tmp_path, group_runs([run]))
    for name in ("index.html", "leaderboard.json"):
        written = (tmp_path / name).read_text()
        assert "mine/weights" in written
        assert "secret" not in written


def test_equal_values_share_a_rank(tmp_path: Path, runs: list[Path], queries: Path) -> None:
    (group,) = group_runs([*runs, finished(tmp_path / "twin", queries, right)])
    assert group.ranks == {"reader": 1, "twin": 1, "<b>habit": 3}


def test_a_small_brier_score_is_good(tmp_path: Path, runs: list[Path]) -> None:
    for run, brier in zip(runs, (0.1, 0.2), strict=True):
        record = read_json(run / "metrics.json")
        figure = record["metrics"]["gIoU"]
        record["metrics"]["type-brier"] = {**figure, "value": brier}
        write_json(run / "metrics.json", record)
    (group,) = group_runs(runs, "type-brier")
    assert group.ranks == {"<b>habit": 1, "reader": 2}


def test_other_protocols_and_data_are_other_groups(
    tmp_path: Path, runs: list[Path], queries: Path
) -> None:
    other = write_benchmark(tmp_path / "other", count=6)
    more = [
        finished(tmp_path / "select", queries, right, "select"),
        finished(tmp_path / "alien", other, right),
    ]
    groups = group_runs([*runs, *more])
    assert [list(group.runs) for group in groups] == [
        ["reader", "<b>habit"],
        ["select"],
        ["alien"],
    ]
    assert len({group.title for group in groups}) == 3


def test_other_rules_under_the_same_name_are_not_ranked(runs: list[Path]) -> None:
    edit(runs[0], "gIoU|protocol:r2sm|empty:1", "gIoU|protocol:r2sm|empty:0")
    (group,) = group_runs(runs)
    assert group.ranks == {}
    assert group.unranked is not None
    assert "rules of gIoU differ" in group.unranked
    (group,) = group_runs(runs, "cIoU")
    assert group.ranks == {"reader": 1, "<b>habit": 2}


def test_figures_without_data_are_not_ranked(runs: list[Path]) -> None:
    for run in runs:
        record = (run / "metrics.json").read_text()
        (run / "metrics.json").write_text(re.sub(r"\|data:\w+", "", record))
    (group,) = group_runs(runs)
    assert (group.data, group.ranks) == (None, {})
    assert group.unranked is not None
    assert "no data" in group.unranked


def test_an_undefined_figure_has_no_rank(runs: list[Path]) -> None:
    record = read_json(runs[1] / "metrics.json")
    record["metrics"]["gIoU"].update(value=None, low=None, high=None)
    write_json(runs[1] / "metrics.json", record)
    (group,) = group_runs(runs)
    assert group.ranks == {"<b>habit": 1}
    assert list(group.runs) == ["<b>habit", "reader"]


class TestRefusals:
    def test_no_figures(self, runs: list[Path]) -> None:
        (runs[1] / "metrics.json").unlink()
        with pytest.raises(DataError, match=r"reader/metrics\.json: does not exist; make it with"):
            group_runs(runs)

    def test_figures_of_other_queries_than_predicted(self, runs: list[Path]) -> None:
        metrics = (runs[1] / "metrics.json").read_text()
        (runs[1] / "metrics.json").write_text(re.sub(r"data:\w+", "data:abc", metrics))
        with pytest.raises(DataError, match=r"is about the queries data:abc, but the run"):
            group_runs(runs)

    def test_figures_that_disagree(self, runs: list[Path]) -> None:
        edit(runs[1], "cIoU|protocol:r2sm|reject", "cIoU|protocol:res|reject")
        with pytest.raises(DataError, match=r"figures of one protocol, got .* r2sm, res"):
            group_runs(runs)

    def test_malformed_figures(self, runs: list[Path]) -> None:
        record = read_json(runs[1] / "metrics.json")
        record["metrics"]["gIoU"]["value"] = 71.2
        write_json(runs[1] / "metrics.json", record)
        with pytest.raises(DataError, match=r"'metrics\.gIoU\.value': expected .* \[0, 1\]"):
            group_runs(runs)

    def test_no_figure_at_all(self, runs: list[Path]) -> None:
        write_json(runs[1] / "metrics.json", {"protocol": "r2sm", "n": 8, "metrics": {}})
        with pytest.raises(DataError, match=r"expected figures of one protocol, got .* none"):
            group_runs(runs)

    def test_a_metric_that_nobody_has(self, runs: list[Path]) -> None:
        with pytest.raises(ConfigError, match="expected one of gIoU, cIoU"):
            group_runs(runs, "beauty")

    def test_a_run_twice(self, runs: list[Path]) -> None:
        with pytest.raises(DataError, match="got it twice"):
            group_runs([runs[0], runs[0]])


def test_the_page_and_its_record(tmp_path: Path, runs: list[Path]) -> None:
    out = tmp_path / "site"
    out.mkdir()
    write_leaderboard(out, group_runs(runs), published("R2SM D2SA"))
    page = read_page(out)
    assert all(re.fullmatch(FILES, path.name) for path in out.iterdir())
    assert page.references() == {"page.css", "sort.js", "leaderboard.json"}
    assert page.texts("caption")[0] == "all queries"
    table = page.texts("tr")
    assert table[0].startswith("rankrunmodelgIoUcIoUAP")
    assert table[1].startswith("1readertoy100.00100.0 to 100.0; 8")
    assert table[2].startswith("2<b>habit<i>toy</i>75.00")
    assert page.all("b") == page.all("i") == []
    record = read_json(out / "leaderboard.json")
    signatures = [
        figure["signature"]
        for run in record["groups"][0]["runs"]
        for figure in run["metrics"].values()
    ]
    assert signatures == page.texts("code")
    assert all("|n:8|" in one and "|data:" in one for one in signatures)
    (apart,) = page.all("section", "published")
    assert "not our runs" in apart.text
    assert "ReLA (fine-tuned)" in apart.text
    assert "ReLA" not in page.texts("table")[0]
    assert {row["benchmark"] for row in record["published"]} == {"R2SM D2SA"}


def test_columns_with_other_rules_cannot_be_sorted(tmp_path: Path, runs: list[Path]) -> None:
    edit(runs[0], "gIoU|protocol:r2sm|empty:1", "gIoU|protocol:r2sm|empty:0")
    write_leaderboard(tmp_path, group_runs(runs))
    page = read_page(tmp_path)
    assert "gIoU (rules differ)" in page.texts("th")
    assert "gIoU" not in page.texts("button")
    assert "cIoU" in page.texts("button")
    assert any("Not ranked: the rules of gIoU" in text for text in page.texts("p", "note"))


def test_the_command(run: Run, tmp_path: Path, runs: list[Path], queries: Path) -> None:
    result = run("leaderboard", *runs, "--out", "site")
    assert (result.code, result.out, result.err) == (0, "site/index.html\n", "")
    other = finished(tmp_path / "select", queries, right, "select")
    result = run("leaderboard", *runs, other, "--out", "site", "--rank-by", "cIoU")
    assert result.code == 0
    assert "2 tables: protocol or data differ" in result.err
    assert len(json.loads(Path("site/leaderboard.json").read_text())["groups"]) == 2


def test_a_refusal_is_one_line_and_leaves_nothing(run: Run, runs: list[Path]) -> None:
    (runs[0] / "metrics.json").unlink()
    assert "metrics.json: does not exist" in run("leaderboard", *runs, "--out", "site").error
    assert not Path("site").exists()
    assert run("leaderboard", "--out", "site").code == 2


SCRIPT = """
const { ordered } = require(process.argv[1]);
console.log(JSON.stringify([
  ordered(["0.5", null, "0.25", "1e-3", "0.5"], true),
  ordered(["0.5", null, "0.25", "1e-3", "0.5"], false),
  ordered(["b", "a", "C"], true), ordered([], true), ordered([null, ""], true),
]));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node")
def test_sorting() -> None:
    script = Path(str(resources.files("askmask.reports") / "static/sort.js"))
    done = subprocess.run(
        ["node", "-e", SCRIPT, str(script)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [
        [3, 2, 0, 4, 1],
        [0, 4, 2, 3, 1],
        [2, 1, 0],
        [],
        [1, 0],
    ]
