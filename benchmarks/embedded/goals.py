"""The figures of an embedded model beside its goals, on every split of the pantry.

    python benchmarks/embedded/goals.py --out runs/goals

Builds what is missing (each split takes some minutes, see docs/pantry.md), answers every query,
scores the answers, measures which stage loses what and how long an answer takes, and writes the
tables to OUT/MODEL, goals.md among them. What is there already is not made again, so an interrupted
run goes on when the command is repeated. `--into FILE` puts the tables between the marks
<!-- overview -->, <!-- goals -->, <!-- stages --> and <!-- end --> of a Markdown file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from askmask.atomic import atomic_write
from askmask.formats.askmask import read_queries, write_queries
from askmask.models.embedded.weights import EmbeddedWeights

ROOT = Path(__file__).resolve().parents[2]
GENERATED, NATURAL = "generated", "natural"
PANTRY = ("test", "test-objects", "test-nouns", "test-views")


class Goal(NamedTuple):
    """A figure that is wanted: at least `least`, or at most `below` less than on `test`."""

    set_name: str
    figure: str
    least: float | None = None
    slice_name: str | None = None
    below: float | None = None


GOALS = (
    Goal(GENERATED, "gIoU", 0.60),
    Goal(GENERATED, "mask-type-accuracy", 0.95),
    Goal(GENERATED, "N-acc", 0.70),
    Goal("test", "gIoU", 0.80),
    Goal("test", "mask-type-accuracy", 0.99),
    Goal("test", "switch-accuracy", 0.90),
    Goal("test", "N-acc", 0.90),
    Goal("test", "AP", 0.55),
    Goal("test", "gIoU", 0.75, slice_name="reference=with"),
    Goal("test", "hidden-part-IoU", 0.60),
    Goal("test-objects", "gIoU", below=0.05),
    Goal("test-nouns", "gIoU", below=0.15),
    Goal("test-views", "gIoU", below=0.05),
    Goal(NATURAL, "gIoU", 0.62),
    Goal(NATURAL, "mask-type-accuracy", 0.95),
    Goal(NATURAL, "N-acc", 0.80),
)
"""The first three are those of the first release, the others those of the embedded model."""

SHOWN = {
    GENERATED: "composed scenes, test wordings",
    "test": "3D scenes, test wordings",
    NATURAL: "3D scenes, written sentences",
}
"""Sets of the overview."""

FIGURES = (
    "gIoU",
    "cIoU",
    "mask-type-accuracy",
    "N-acc",
    "T-acc",
    "switch-accuracy",
    "hidden-part-IoU",
    "AP",
)
"""Rows of the overview."""

TIMES = {"picture (ms)": 40.0, "further sentence (ms)": 10.0, "peak memory (MB)": 500.0}
"""At most, on two cores; see bench/latency.py."""


def askmask(*arguments: str | Path) -> str:
    """Run a command of askmask as a user does; its progress is shown."""
    command = [sys.executable, "-m", "askmask", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def queries_of(name: str, data: Path) -> Path:
    """Queries of a set, which is built if need be."""
    folder = data / name
    if name == GENERATED:
        path = folder / "queries-val.jsonl"
        if not path.exists():
            askmask("build", "scenes", "--count", "500", "--seed", "500000", "--out", folder)
            askmask("build", "queries", "--out", folder, "--per-image", "10")
        return path
    if name == NATURAL:
        source = ROOT / "benchmarks" / "pantry-natural"
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "images").exists():
            (folder / "images").symlink_to(source / "images")
        path = folder / "queries-test.jsonl"
        queries = read_queries(source / "queries.jsonl")
        write_queries(path, [query for query in queries if "part:test" in query.tags])
        return path
    path = folder / f"queries-{name}.jsonl"
    if not path.exists():
        askmask("build", "pantry", "--split", name, "--out", folder)
    return path


def scored(name: str, queries: Path, model: str, out: Path) -> dict[str, Any]:
    """Answer a set and score the answers."""
    askmask("predict", queries, "--model", model, "--out", out / name, "--resume")
    report = out / f"{name}.json"
    askmask("evaluate", out / name, "--against", queries, "--out", report)
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def figure_of(goal: Goal, report: Mapping[str, Any]) -> dict[str, Any]:
    """The figure that a goal is about."""
    group = report["metrics"] if goal.slice_name is None else report["slices"][goal.slice_name]
    found: dict[str, Any] = group[goal.figure]
    return found


def reached(figure: Mapping[str, Any]) -> str:
    """Value and interval."""
    return f"{figure['value']:.3f} ({figure['low']:.2f} to {figure['high']:.2f})"


def overview_table(reports: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A few figures of a few sets, and the signatures of their gIoU."""
    heads = (f"{title} ({reports[name]['n']:,})" for name, title in SHOWN.items())
    lines = ["| 95 % interval in brackets | " + " | ".join(heads) + " |", "|---|---|---|---|"]
    for figure in FIGURES:
        values = (reached(reports[name]["metrics"][figure]) for name in SHOWN)
        lines.append("| " + " | ".join((figure, *values)) + " |")
    signed = (reports[name]["metrics"]["gIoU"]["signature"] for name in SHOWN)
    return [*lines, "", ", ".join(f"`{one}`" for one in signed)]


def goals_table(reports: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One row a goal."""
    lines = [
        "| set | figure | goal | reached (95 % interval) | n | signature |",
        "|---|---|---|---|---|---|",
    ]
    on_test = reports["test"]["metrics"]["gIoU"]["value"]
    for goal in GOALS:
        found = figure_of(goal, reports[goal.set_name])
        if goal.below is None:
            wanted, met = f"{goal.least:.2f}", found["value"] >= (goal.least or 0)
        else:
            wanted, met = f"test - {goal.below:.2f}", found["value"] >= on_test - goal.below
        signature = found["signature"].replace("|", "\\|")  # it stands in a table
        where = goal.set_name + (f", {goal.slice_name}" if goal.slice_name else "")
        lines.append(
            f"| {where} | {goal.figure} | {wanted} | {reached(found)}{' ✓' if met else ''} "
            f"| {found['n']:,} | `{signature}` |"
        )
    return lines


def times_table(picture: Path) -> list[str]:
    """How long an answer of the shipped model takes."""
    command = [sys.executable, str(ROOT / "bench" / "latency.py"), str(picture), "--json"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    lines = ["| two cores | goal | measured |", "|---|---|---|"]
    for name, most in TIMES.items():
        met = " ✓" if found[name] < most else ""
        lines.append(f"| {name} | < {most:.0f} | {found[name]:.0f}{met} |")
    return lines


def stages_table(found: Mapping[str, Any]) -> list[str]:
    """What each stage loses: gIoU on `test` with true ones in place of the model's."""
    lines = ["| known | gIoU on test (95 % interval) |", "|---|---|"]
    lines += (f"| {name} | {reached(one['gIoU'])} |" for name, one in found["oracles"].items())
    return lines


def put_into(path: Path, tables: Mapping[str, str]) -> None:
    """Replace what stands between the mark of a table and the next <!-- end -->."""
    text = path.read_text(encoding="utf-8")
    for name, table in tables.items():
        begin, mark, rest = text.partition(f"<!-- {name} -->")
        if mark:
            _, end, rest = rest.partition("<!-- end -->")
            if not end:
                raise SystemExit(f"{path}: expected <!-- end --> after {mark}, got none")
            text = f"{begin}{mark}\n\n{table}\n\n{end}{rest}"
    with atomic_write(path) as file:
        file.write(text.encode())


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="embedded-v1")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="where the sets are or go; default OUT/data")
    parser.add_argument("--into", type=Path, action="append", default=[], help="Markdown file")
    arguments = parser.parse_args()
    data = arguments.data or arguments.out / "data"
    weights = EmbeddedWeights(arguments.model)
    weights.verify()
    out = arguments.out / weights.sha256[:12]
    sets = {name: queries_of(name, data) for name in (GENERATED, *PANTRY, NATURAL)}
    reports = {name: scored(name, queries, arguments.model, out) for name, queries in sets.items()}
    stages = out / "decompose.json"
    if not stages.exists():
        askmask("decompose", sets["test"], "--model", arguments.model, "--out", stages)
    lines = {
        "overview": overview_table(reports),
        "goals": [*goals_table(reports), "", *times_table(ROOT / "examples" / "demo.png")],
        "stages": stages_table(json.loads(stages.read_text())),
    }
    tables = {name: "\n".join(table) for name, table in lines.items()}
    text = "\n\n".join((f"Weights `{weights.sha256}`", *tables.values())) + "\n"
    (out / "goals.md").write_text(text, encoding="utf-8")
    for path in arguments.into:
        put_into(path, tables)
    print(text)


if __name__ == "__main__":
    main()
