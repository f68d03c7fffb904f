"""The page of an evaluation: tables, plots, and the worst and some random answers as pictures.

Everything lies flat in one folder and the page asks for nothing else, so it opens from a disk, an
archive or any web server, without scripts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from importlib import resources
from pathlib import Path

from askmask.atomic import atomic_write
from askmask.formats.askmask import Prediction, QueryRecord
from askmask.metrics.counts import MASK_TYPES, NO_TYPE
from askmask.metrics.report import Report
from askmask.reports.choice import Case, at_random, cases, query_ious, worst
from askmask.reports.markup import Markup, document, tag
from askmask.reports.pictures import MOST_MASKS, drawn_masks, write_pictures
from askmask.reports.plots import confusion_map, interval_bars, iou_histogram, reliability_curve
from askmask.reports.tables import confusion_table, figures_table, percent, slices_table, write_csv

__all__ = ["FILES", "SHOWN", "write_page", "write_static"]

FILES = r"index\.html|page\.css|queries\.csv|query-\d+-(answer|truth)\.webp"
"""Regular expression of the names that are written."""

SHOWN = 50
"""Queries in each gallery."""

_LEGEND = "Filled: visible. Hatched: hidden. White outline: reference. Numbers: best mask first."


def write_static(out: Path, *names: str) -> None:
    """Copy files that pages share into the folder `out`."""
    for name in names:
        with atomic_write(out / name) as stream:
            stream.write((resources.files(__package__) / "static" / name).read_bytes())


def write_page(
    out: Path,
    title: str,
    report: Report,
    queries: Iterable[QueryRecord],
    predictions: Iterable[Prediction],
    pictures: Path,
    *,
    seed: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> list[str]:
    """Write the page of a report into a folder.

    Args:
        out: an existing folder.
        title: of the page, e.g. the name of the run.
        report: of `predictions` against `queries`.
        queries: the evaluated queries; they are read once.
        predictions: their answers, likewise.
        pictures: folder that the queries' pictures are relative to.
        seed: the same seed shows the same queries.
        progress: called with the number of drawn queries after each of them.

    Returns:
        One line for each picture that could not be shown.

    Raises:
        OutputError: when a file cannot be written.
    """
    values = query_ious(report)
    lowest, drawn = worst(values, SHOWN, seed), at_random(report.n, SHOWN, seed)
    chosen = cases([*dict.fromkeys([*lowest, *drawn])], report, queries, predictions)
    cards: dict[int, Markup] = {}
    problems: dict[Path, str] = {}
    for case in chosen.values():
        names, problem = write_pictures(out, case, pictures)
        if problem is not None:
            problems.setdefault(pictures / case.query.image, problem)
        cards[case.row] = _card(case, names, problem)
        progress(len(cards))
    write_static(out, "page.css")
    _write_queries_csv(out / "queries.csv", report)
    page = document(
        title,
        tag("header", tag("h1", title), tag("p", _summary(report))),
        tag("main", *_body(report, lowest, drawn, cards, len(problems))),
        tag("footer", _LEGEND),
    )
    with atomic_write(out / "index.html") as stream:
        stream.write(page.encode())
    return list(problems.values())


def _summary(report: Report) -> str:
    told = f"Protocol {report.protocol}, {report.n:,} queries; figures in %."
    if report.failed or report.missing:
        told += f" {report.failed:,} failed and {report.missing:,} missing count as no mask."
    return told


def _body(
    report: Report, lowest: list[int], drawn: list[int], cards: dict[int, Markup], broken: int
) -> Iterator[Markup]:
    """Sections of the page."""
    yield figures_table("Figures", report.metrics)
    if report.undefined:
        yield tag("ul", *(tag("li", f"{name}: {why}") for name, why in report.undefined.items()))
    yield tag("section", tag("h2", "Plots"), tag("div", *_plots(report), class_="plots"))
    if "mask-type-accuracy" in report.metrics:
        yield confusion_table("Mask types, in queries", report.confusion)
    if report.slices:
        yield slices_table("Slices: value, 95 % interval, n", report.slices)
    if broken:
        note = f"Pictures that could not be read: {broken:,}; their masks stand on grey."
        yield tag("p", note, class_="note")
    yield _gallery(f"Worst {len(lowest)}", [cards[row] for row in lowest])
    yield _gallery(f"Random {len(drawn)}", [cards[row] for row in drawn])
    every = tag("a", "queries.csv", href="queries.csv")
    yield tag("p", "What every query counted: ", every)


def _plots(report: Report) -> Iterator[Markup]:
    yield iou_histogram("Queries by IoU", query_ious(report))
    if report.slices:
        main = next(iter(report.metrics))
        bars = {"all": report.metrics, **report.slices}
        yield interval_bars(f"{main} by slice", {of: group[main] for of, group in bars.items()})
    if "mask-type-accuracy" in report.metrics:
        yield confusion_map("Mask type: asked (rows), answered (columns)", report.confusion)
    for of, reliability in report.reliability.items():
        yield reliability_curve(f"Reliability of {of}", reliability)


def _gallery(title: str, cards: list[Markup]) -> Markup:
    return tag("section", tag("h2", title), tag("div", *cards, class_="cards"))


def _card(case: Case, names: tuple[str, str], problem: str | None) -> Markup:
    """Sentence, both pictures and the facts of one query."""
    query = case.query
    wrong = query.mask_type is not None and query.mask_type != case.prediction.mask_type
    parts = [
        tag("p", query.text, class_="sentence"),
        tag(
            "div",
            _side(names[0], "Answer", _answer_facts(case.prediction), wrong),
            _side(names[1], "Truth", _truth_facts(query), False),
            class_="pair",
        ),
        tag("p", tag("b", f"IoU {percent(case.iou, 1)}"), f" · {query.id}", class_="facts"),
    ]
    if case.prediction.rationale:
        parts.append(tag("p", f"Because: {case.prediction.rationale}", class_="facts"))
    if query.tags:
        parts.append(tag("p", *(tag("span", one) for one in query.tags), class_="tags"))
    if problem is not None:
        parts.append(tag("p", problem, class_="note"))
    return tag("article", *parts)


def _side(name: str, what: str, facts: str, wrong: bool) -> Markup:
    picture = tag("img", src=name, alt=f"{what}: {facts}", loading="lazy")
    said = tag("figcaption", tag("b", what), f": {facts}", class_="wrong" if wrong else None)
    return tag("figure", picture, said)


def _answer_facts(answer: Prediction) -> str:
    if answer.error is not None:
        return f"failed: {answer.error}"
    told = str(answer.mask_type or "mask type not said")
    if answer.mask_type is not None and answer.mask_type_probability is not None:
        told += f" ({answer.mask_type_probability[answer.mask_type]:.2f})"
    if answer.no_target_probability is not None:
        told += f", nothing fits ({answer.no_target_probability:.2f})"
    if not answer.masks:
        return f"{told}, {'one fused mask' if drawn_masks(answer) else 'no mask'}"
    scores = sorted((mask.score for mask in answer.masks), reverse=True)
    listed = ", ".join(f"{score:.2f}" for score in scores[:MOST_MASKS])
    more = f" and {len(scores) - MOST_MASKS} more, not drawn" if len(scores) > MOST_MASKS else ""
    return f"{told}, scores {listed}{more}"


def _truth_facts(query: QueryRecord) -> str:
    kind = str(query.mask_type or "mask type not said")
    nouns = [target.category or f"target {place}" for place, target in enumerate(query.targets, 1)]
    return f"{kind}, {', '.join(nouns) or 'nothing fits'}"


def _write_queries_csv(path: Path, report: Report) -> None:
    """Write what each query counted, so that errors can be sorted in a spreadsheet."""
    counts = report.counts
    columns = ("id", "iou", "intersection", "union", "target_area", "targets", "answered", "failed")
    names = {NO_TYPE: None, **{code: one.value for code, one in enumerate(MASK_TYPES)}}
    types = (counts.asked_type.tolist(), counts.answered_type.tolist())
    rows = zip(
        report.query_ids,
        (None if math.isnan(one) else one for one in query_ious(report).tolist()),
        *(getattr(counts, column).tolist() for column in columns[2:]),
        *([names[code] for code in codes] for codes in types),
        strict=True,
    )
    write_csv(path, (*columns, "asked_type", "answered_type"), rows)
