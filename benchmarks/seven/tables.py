"""The tables of the study from the run folders, as Markdown.

    python benchmarks/seven/tables.py runs/seven --out docs/study.md

Every figure comes from a run folder; a table without a row is left out. Beside the text goes a
plot, study-giou.svg.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from questions import Answered, Asked, questions
from rows import DAGGER, FUSED, Row, default_rows, parse_row

from askmask.atomic import atomic_write
from askmask.errors import AskmaskError, DataError
from askmask.formats.files import read_json
from askmask.metrics import Difference, Figure
from askmask.pantry.splits.sgdr import DIMENSIONS
from askmask.reports.plots import interval_bars
from askmask.reports.run_files import Evaluation, read_evaluation
from askmask.reports.tables import percent

__all__ = ["Done", "main", "read_study", "study"]

_MAX_BYTES = 100_000_000

_AP = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR")
_ANSWERS = ("Pr@0.5", "mask-type-accuracy", "switch-accuracy", "hidden-part-IoU", "N-acc", "T-acc")

_OWN = {
    "missing": "no [SEG]",
    "count": "right number",
    "phrase": "right phrase",
    "first": "first candidate, IoU",
    "chosen": "chosen one, IoU",
    "best": "best one, IoU",
    "among": "right one, not first",
}
"""Figures of a design's own, see `System.figures`, and their columns."""

_LIMITS = """\
Small models, trained for the time in the table of costs and not to their end, on composed pictures;
the queries are about rendered scenes of groceries and household things, in generated wordings. So
the tables compare designs with the same eyes, words, data and budget, and say nothing about the
published models, which are hundreds of times larger and pretrained. One fused mask is all that some
designs give; where a paper leaves details open, the module of the system says what was chosen.
Thresholds of every system, of slots, of "nothing fits" and of masks, are those that are best on
held-out composed pictures.
Intervals are over queries (bootstrap, 95 %), not over trainings; where a row has several seeds,
values and both ends are means over them, and the seeds stand apart. Instances are those that an
answer contains: what lies under a system's threshold is no part of AP or AR."""

_STYLE = (
    "<style>svg{font:12px sans-serif;background:#fff}text{fill:#1b1e24}.bar{fill:#2f7fc1}"
    ".grid{stroke:#ccc}.interval{stroke:#1b1e24;stroke-width:1.3}</style>"
)


@dataclass(frozen=True)
class Done:
    """A finished row of one seed.

    Attributes:
        row: which.
        seed: of its training.
        folder: where it lies.
        said: row.json.
        whole: figures of all queries.
        hard: the same of those that only the picture can answer.
    """

    row: Row
    seed: int
    folder: Path
    said: Mapping[str, Any]
    whole: Evaluation
    hard: Mapping[str, Any]


def read_study(out: Path) -> dict[str, list[Done]]:
    """Rows by name in the order of the study, each with its seeds.

    Raises:
        DataError: when there is no finished row, or rows are about different queries.
    """
    found: dict[str, list[Done]] = {}
    for path in sorted(out.glob("*/seed-*/row.json")):
        said = read_json(path, _MAX_BYTES)
        test = path.parent / "test"
        row, seed = parse_row(said["made_by"]["row"]), said["made_by"]["seed"]
        hard = read_json(test / "metrics-sgdr.json", _MAX_BYTES)
        one = Done(row, seed, path.parent, said, read_evaluation(test), hard)
        found.setdefault(row.name, []).append(one)
    if not found:
        raise DataError(f"{out}: no finished row; make one with benchmarks/seven/run.py")
    asked = {one.said["made_by"]["queries"] for seeds in found.values() for one in seeds}
    if len(asked) > 1:
        raise DataError(f"{out}: rows are about different queries; give each study its own folder")
    order = [row.name for row in default_rows()]
    return dict(
        sorted(found.items(), key=lambda item: (item[0] not in order, _place(order, item[0])))
    )


def _place(order: Sequence[str], name: str) -> int:
    return order.index(name) if name in order else 0


def study(out: Path) -> tuple[str, str]:
    """Markdown of the study, and its plot as SVG."""
    rows = read_study(out)
    first = next(iter(rows.values()))[0]
    asked = Asked(first.whole.run.queries or Path())
    parts = [
        ["# The study of seven systems"],
        [
            f"Made by `python benchmarks/seven/tables.py {out}` from run folders; what the rows "
            "are and how they are run: [seven.md](seven.md). "
            f"{first.whole.n:,} queries, SHA-256 {first.said['made_by']['queries'][:12]}. "
            "In %, with 95 % intervals."
        ],
        ["![gIoU of all rows](images/study-giou.svg)"],
        *_figure_tables(rows),
        *_of_designs(rows),
        *_seeds(rows),
        *_answers_to_questions(rows, asked),
        *_costs(rows, out),
        ["## Limits", "", _LIMITS],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n", _plot(rows)


def _figure_tables(rows: Mapping[str, list[Done]]) -> Iterator[list[str]]:
    fused = {
        f"{of} {metric}": _figures(rows, metric, piece)
        for of, piece in (("All", None), ("Amodal", "mask_type=amodal"))
        for metric in ("gIoU", "cIoU")
    }
    yield [
        "## Table A: masks before and after fine-tuning",
        "",
        f"As table 2 of R2SM. Rows with {DAGGER} are fine-tuned on mask types from the row without "
        "it. All: every query, also those without a target and those for the hidden part.",
        "",
        *_table(rows, fused),
    ]
    by_type = {
        f"{kind} gIoU": _figures(rows, "gIoU", f"mask_type={kind}") for kind in ("modal", "hidden")
    }
    references = {
        f"{name} a reference, gIoU": _figures(rows, "gIoU", f"reference={name}")
        for name in ("with", "without")
    }
    answers = {name: _figures(rows, name, None) for name in _ANSWERS}
    yield [
        "## What gIoU does not show",
        "",
        *_table(rows, answers),
        "",
        *_table(rows, {**by_type, **references}),
    ]
    hard = {
        name: [
            [_figure(one.hard["slices"].get(f"reasoning={name}", {}).get("gIoU")) for one in seeds]
            for seeds in rows.values()
        ]
        for name in DIMENSIONS
    }
    yield [
        "## Queries that only the picture can answer",
        "",
        "gIoU by dimension of SGDR.",
        "",
        *_table(rows, hard),
    ]
    several = {name: seeds for name, seeds in rows.items() if seeds[0].row.system not in FUSED}
    for of, piece in (("all queries", None), ("amodal queries", "mask_type=amodal")):
        if several:
            yield [
                f"## Table B: instances, {of}",
                "",
                "As table 3 of R2SM; systems with one fused mask are left out.",
                "",
                *_table(several, {name: _figures(several, name, piece) for name in _AP}),
            ]


def _of_designs(rows: Mapping[str, list[Done]]) -> Iterator[list[str]]:
    """What designs report of themselves at the end of their training."""
    lines = []
    for name, seeds in rows.items():
        told = [(one.said["training"] or {}).get("held_out", {}) for one in seeds]
        found = [[each[f"{key}.test"] for each in told if f"{key}.test" in each] for key in _OWN]
        if any(found) and not seeds[0].row.answers_otherwise:
            lines.append((name, *(percent(fmean(each), 1) if each else "-" for each in found)))
    if lines:
        yield [
            "## What designs say of themselves",
            "",
            "On held-out composed pictures in wordings that nothing was learnt from, before bars "
            "are chosen; all but the number are of sentences with targets. [SEG] is PixelLM's "
            "first token and GLaMM's <p>. Candidates are Rea2Seg's; one is right from IoU 0.5.",
            "",
            *_markdown(("row", *_OWN.values()), lines),
        ]


Column = list[list[Figure | None]]
"""For each row, the figure of each seed."""


def _figures(rows: Mapping[str, list[Done]], metric: str, piece: str | None) -> Column:
    return [
        [
            (one.whole.metrics if piece is None else one.whole.slices.get(piece, {})).get(metric)
            for one in seeds
        ]
        for seeds in rows.values()
    ]


def _figure(said: Mapping[str, Any] | None) -> Figure | None:
    if said is None:
        return None
    value, low, high = (
        math.nan if said[key] is None else said[key] for key in ("value", "low", "high")
    )
    return Figure(value, low, high, said["n"], said["signature"])


def _table(rows: Mapping[str, list[Done]], columns: Mapping[str, Column]) -> list[str]:
    """One line a row; columns without any figure are left out."""
    kept = {
        name: [_cell(figures) for figures in column]
        for name, column in columns.items()
        if any(_cell(figures) != "-" for figures in column)
    }
    lines = zip(rows, *kept.values(), strict=True)
    return _markdown(("row", *kept), lines)


def _markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    rule = "|---" + "|---:" * (len(head) - 1) + "|"
    return [f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(line)} |" for line in lines)]


def _cell(figures: Sequence[Figure | None]) -> str:
    """Mean over the seeds of the value and of both ends of its interval."""
    found = [one for one in figures if one is not None and not math.isnan(one.value)]
    if not found:
        return "-"
    value, low, high = (
        percent(fmean(getattr(one, part) for one in found), 1) for part in ("value", "low", "high")
    )
    return f"{value} ({low} to {high})"


def _seeds(rows: Mapping[str, list[Done]]) -> Iterator[list[str]]:
    several = {name: seeds for name, seeds in rows.items() if len(seeds) > 1}
    if several:
        lines = (
            (name, ", ".join(f"{percent(one.whole.metrics['gIoU'].value, 1)}" for one in seeds))
            for name, seeds in several.items()
        )
        yield ["## Seeds", "", "gIoU of each.", "", *_markdown(("row", "gIoU"), lines)]


def _answers_to_questions(rows: Mapping[str, list[Done]], asked: Asked) -> Iterator[list[str]]:
    answered = []
    for seeds in rows.values():
        folder = seeds[0].folder
        if not (folder / "test" / "predictions.jsonl").is_file():  # of a small archive
            continue
        seen_nothing = (folder / "blind" / "metrics-sgdr.json").is_file()  # written last
        blind = folder / "blind" if seen_nothing else None
        answered.append(Answered(seeds[0].row, folder / "test", blind))
    told = "Differences on the same queries, of the first seeds, with wins and losses."
    heading = ["## Questions", "", told]
    for question in questions(answered, asked):
        lines = [(name, *map(_difference, found)) for name, found in question.lines]
        yield [
            *heading,
            *([""] if heading else []),
            f"### {question.title}",
            "",
            question.told,
            "",
            *_markdown(("row", *question.columns), lines),
        ]
        heading = []


def _difference(one: Difference) -> str:
    if math.isnan(one.value):
        return "-"
    value, low, high = (f"{100 * part:+.1f}" for part in (one.value, one.low, one.high))
    return f"{value} ({low} to {high}), {one.wins:,}:{one.losses:,}"


def _costs(rows: Mapping[str, list[Done]], out: Path) -> Iterator[list[str]]:
    path = out / "cost.json"
    costs = read_json(path, _MAX_BYTES) if path.is_file() else {}
    lines = []
    for name, seeds in rows.items():
        cost, trained = costs.get(name, {}), seeds[0].said["training"] or {}
        lines.append(
            (
                name,
                _number(trained.get("parameters", cost.get("parameters"))),
                _number(trained.get("samples")),
                _number(trained.get("seconds")),
                _number(cost.get("trained_per_second"), 1),
                _number(cost.get("picture_ms"), 1),
                _number(cost.get("sentence_ms"), 1),
                _number(cost.get("memory_mib")),
            )
        )
    trained_columns = ("parameters", "samples", "training s", "samples/s")
    head = ("row", *trained_columns, "ms a picture", "ms a further sentence", "peak MiB")
    first: Mapping[str, Any] = next(iter(costs.values()), {})
    yield [
        "## Cost",
        "",
        "Parameters without the text tower that all share. A sample is a sentence; a row with "
        f"{DAGGER} adds to those of its base; training s is what its run took, beside whatever "
        "else the machine did. All other figures are measured one row after the other on one "
        f"machine ({first.get('machine', 'not named')}, {first.get('threads', '?')} threads): "
        "samples/s in training steps on pictures that are composed already, and answering, with "
        "the memory of the whole process.",
        "",
        *_markdown(head, lines),
    ]
    made = [(name, f"`{seeds[0].said['command']}`") for name, seeds in rows.items()]
    yield ["Commands:", "", *(f"- {name}: {command}" for name, command in made)]


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _plot(rows: Mapping[str, list[Done]]) -> str:
    """GIoU of the first seed of each row; a picture that stands alone."""
    figures = {name: seeds[0].whole.metrics["gIoU"] for name, seeds in rows.items()}
    drawn = re.search(r"<svg.*</svg>", str(interval_bars("gIoU of all queries", figures)), re.S)
    assert drawn is not None
    return re.sub(
        r"^<svg([^>]*)>", rf'<svg xmlns="http://www.w3.org/2000/svg"\1>{_STYLE}', drawn[0]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the study; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, help="--out of run.py")
    parser.add_argument("--out", type=Path, default=Path("docs/study.md"))
    given = parser.parse_args(arguments)
    try:
        text, plot = study(given.runs)
        images = given.out.parent / "images"
        images.mkdir(parents=True, exist_ok=True)
        for path, content in ((images / "study-giou.svg", plot), (given.out, text)):
            with atomic_write(path) as stream:
                stream.write(content.encode())
    except AskmaskError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
