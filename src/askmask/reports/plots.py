"""Small plots as SVG: text and shapes whose colours the page's style decides, light or dark.

Each is a picture with a title and a description for those who cannot see it; the page prints the
same numbers as tables.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from askmask.metrics.calibration import Reliability
from askmask.metrics.report import Figure
from askmask.reports.markup import Markup, tag
from askmask.reports.tables import interval, percent

__all__ = ["confusion_map", "interval_bars", "iou_histogram", "reliability_curve"]

_ROW = 22  # height of a bar with its gap, in user units
_LABELS = 190  # least room for the names of bars
_LETTER = 7  # mean width of a letter of 12 px, generously
_VALUES = 52  # room for the numbers behind bars
_SIDE = 240  # of square plots
_MARGIN = 44  # room for axes of square plots
_TOP = 10  # room above all plots for what lies on their upper edge
_BINS = 20


def interval_bars(title: str, figures: Mapping[str, Figure]) -> Markup:
    """Draw one bar a figure with its 95 % interval; undefined ones are left out."""
    defined = {name: f for name, f in figures.items() if not math.isnan(f.value)}
    width, height = 420, _ROW * len(defined)
    left = max([_LABELS, *(_LETTER * len(name) + 6 for name in defined)])
    shapes: list[Markup] = list(_vertical_grid(left, width, height))
    for row, (name, figure) in enumerate(defined.items()):
        middle = _ROW * (row + 0.5)
        hover = tag(
            "title", f"{name}: {percent(figure.value)} ({interval(figure)}), n {figure.n:,}"
        )
        shapes += [
            _text(left - 6, middle, name, anchor="end"),
            _box(left, middle - 7, width * figure.value, 14, hover),
            *_whisker(figure, left, middle, width),
            _text(left + width + 6, middle, percent(figure.value, 1)),
        ]
    axis = _x_axis(left, width, height)
    size = (left + width + _VALUES, height + 22)
    listed = "; ".join(f"{name} {percent(f.value, 1)}" for name, f in defined.items())
    return _picture(title, listed or "no defined figure", size, *shapes, *axis)


def _whisker(figure: Figure, x: float, y: float, width: float) -> Iterator[Markup]:
    if math.isnan(figure.low):
        return
    low, high = (x + width * end for end in (figure.low, figure.high))
    yield _line(low, y, high, y, "interval")
    for end in (low, high):
        yield _line(end, y - 4, end, y + 4, "interval")


def iou_histogram(title: str, values: NDArray[np.float64]) -> Markup:
    """Draw how many queries have which IoU, `values` (N,) in [0, 1], in 20 bins.

    Queries at exactly 0 and at exactly 1 are mostly those with the wrong object and those with a
    right "no target"; the description counts them. Queries without an IoU (NaN) are left out.
    """
    values = values[~np.isnan(values)]
    counts, edges = np.histogram(values, _BINS, (0.0, 1.0))
    width, height, top = 420, 140, max(1, int(counts.max(initial=0)))
    shapes = list(_vertical_grid(_MARGIN, width, height))
    for n, low, high in zip(counts.tolist(), edges[:-1], edges[1:], strict=True):
        hover = tag("title", f"IoU {low:.2f} to {high:.2f}: {n:,} queries")
        tall = height * n / top
        x = _MARGIN + width * float(low)
        shapes.append(_box(x + 1, height - tall, width / _BINS - 2, tall, hover))
    shapes += [_text(_MARGIN - 6, 6, f"{top:,}", anchor="end"), *_x_axis(_MARGIN, width, height)]
    zeros, ones = int((values == 0).sum()), int((values == 1).sum())
    told = f"{len(values):,} queries, of which {zeros:,} at exactly 0 and {ones:,} at exactly 1"
    return _picture(title, told, (_MARGIN + width + 20, height + 22), *shapes)


def reliability_curve(title: str, reliability: Reliability) -> Markup:
    """Draw how often answers of each probability are right; on the diagonal they are calibrated.

    A dot's area grows with its share of the answers; bins without answers have none.
    """
    used = np.flatnonzero(reliability.n > 0)
    largest = max(1, int(reliability.n.max(initial=0)))
    shapes = [*_square_grid(), _line(_MARGIN, _SIDE, _MARGIN + _SIDE, 0, "diagonal")]
    points, told = [], []
    for index in used.tolist():
        said, right = reliability.mean_probability[index], reliability.accuracy[index]
        n = int(reliability.n[index])
        x, y = _MARGIN + _SIDE * float(said), _SIDE * (1 - float(right))
        told.append(f"{percent(said, 0)} said, {percent(right, 0)} right, n {n:,}")
        points.append(f"{x:.1f},{y:.1f}")
        radius = f"{3 + 6 * math.sqrt(n / largest):.1f}"
        hover = tag("title", told[-1])
        shapes.append(tag("circle", hover, class_="dot", cx=f"{x:.1f}", cy=f"{y:.1f}", r=radius))
    shapes.append(tag("polyline", class_="curve", points=" ".join(points)))
    shapes += _axis_names("probability said", "share right")
    size = (_MARGIN + _SIDE + 20, _SIDE + 40)
    return _picture(title, "; ".join(told) or "no probabilities", size, *shapes)


def confusion_map(title: str, confusion: Mapping[str, Mapping[str, int]]) -> Markup:
    """Draw counts by asked (rows) and answered (columns) type, shaded by the row's share."""
    names = list(confusion)
    side, left, top = 64, 78, 24
    shapes, told = [], []
    for column, name in enumerate(names):
        shapes.append(_text(left + side * (column + 0.5), top - 12, name, anchor="middle"))
    for row, (asked, cells) in enumerate(confusion.items()):
        total = max(1, sum(cells.values()))
        shapes.append(_text(left - 6, top + side * (row + 0.5), asked, anchor="end"))
        for column, (answered, n) in enumerate(cells.items()):
            x, y = left + side * column, top + side * row
            shapes += [
                _box(
                    x + 1, y + 1, side - 2, side - 2, class_="cell", fill_opacity=f"{n / total:.3f}"
                ),
                _text(x + side / 2, y + side / 2, f"{n:,}", anchor="middle"),
            ]
            told.append(f"{asked} answered {answered}: {n:,}")
    size = (left + side * len(names) + 8, top + side * len(names) + 8)
    return _picture(title, "; ".join(told), size, *shapes)


def _picture(title: str, told: str, size_wh: tuple[float, float], *shapes: Markup) -> Markup:
    width, height = (round(side) for side in size_wh)
    drawing = tag(
        "svg",
        tag("title", title),
        tag("desc", told),
        *shapes,
        role="img",
        aria_label=f"{title}: {told}",
        viewBox=f"0 {-_TOP} {width} {height + _TOP}",
        width=width,
        height=height + _TOP,
    )
    return tag("figure", tag("figcaption", title), drawing)


def _text(x: float, y: float, words: str, *, anchor: str | None = None) -> Markup:
    """Write words centred on `y`."""
    return tag("text", words, x=f"{x:.1f}", y=f"{y + 4:.1f}", text_anchor=anchor)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return tag("line", class_=kind, **{key: f"{value:.1f}" for key, value in ends.items()})


def _box(
    x: float, y: float, width: float, height: float, *inside: Markup, **attributes: object
) -> Markup:
    sides = {"x": x, "y": y, "width": width, "height": height}
    written = {key: f"{value:.1f}" for key, value in sides.items()}
    return tag("rect", *inside, **{"class_": "bar", **written, **attributes})


def _vertical_grid(left: float, width: float, height: float) -> Iterator[Markup]:
    for share in (0, 0.25, 0.5, 0.75, 1):
        yield _line(left + width * share, 0, left + width * share, height, "grid")


def _x_axis(left: float, width: float, height: float) -> Iterator[Markup]:
    for share in (0, 0.25, 0.5, 0.75, 1):
        yield _text(left + width * share, height + 12, f"{100 * share:.0f}", anchor="middle")


def _square_grid() -> Iterator[Markup]:
    for share in (0, 0.25, 0.5, 0.75, 1):
        x, y = _MARGIN + _SIDE * share, _SIDE * (1 - share)
        yield _line(x, 0, x, _SIDE, "grid")
        yield _line(_MARGIN, y, _MARGIN + _SIDE, y, "grid")
        yield _text(x, _SIDE + 12, f"{100 * share:.0f}", anchor="middle")
        yield _text(_MARGIN - 6, y, f"{100 * share:.0f}", anchor="end")


def _axis_names(x_name: str, y_name: str) -> Iterator[Markup]:
    yield _text(_MARGIN + _SIDE / 2, _SIDE + 28, x_name, anchor="middle")
    turned = f"translate(8 {_SIDE / 2}) rotate(-90)"
    yield tag("text", y_name, transform=turned, text_anchor="middle", y="4")
