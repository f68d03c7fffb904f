"""Plots: what is drawn where, and what is said to those who cannot see it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from xml.etree import ElementTree

import numpy as np
import pytest

from askmask.metrics.calibration import Reliability
from askmask.metrics.report import Figure
from askmask.reports.plots import confusion_map, interval_bars, iou_histogram, reliability_curve

NAN = float("nan")


def figure(value: float, low: float = NAN, high: float = NAN) -> Figure:
    return Figure(value, low, high, 10, "gIoU|n:10")


def svg(plot: str) -> ElementTree.Element:
    """Parse a plot as XML and return its drawing."""
    drawing = ElementTree.fromstring(plot).find("svg")
    assert drawing is not None
    return drawing


def numbers(shape: ElementTree.Element, *keys: str) -> list[float]:
    return [float(shape.attrib[key]) for key in keys]


FIGURES = {"all": figure(0.5, 0.4, 0.6), "a<b": figure(1.0), "none": figure(NAN)}
EMPTY = Reliability(np.linspace(0, 1, 3), *np.full((2, 2), NAN), np.zeros(2, np.int64))
FULL = Reliability(
    np.linspace(0, 1, 3), np.array([NAN, 0.75]), np.array([NAN, 0.5]), np.array([0, 8])
)
CONFUSION = {"modal": {"modal": 3, "amodal": 1}, "amodal": {"modal": 0, "amodal": 0}}

PLOTS: Mapping[str, str] = {
    "bars": interval_bars("bars <i>", FIGURES),
    "no bars": interval_bars("bars", {}),
    "histogram": iou_histogram("IoU", np.array([0, 0, 0.52, NAN, 1.0])),
    "no histogram": iou_histogram("IoU", np.zeros(0)),
    "reliability": reliability_curve("r", FULL),
    "no reliability": reliability_curve("r", EMPTY),
    "confusion": confusion_map("c", CONFUSION),
}


@pytest.mark.parametrize("name", sorted(PLOTS))
def test_every_plot_is_sound_and_says_what_it_shows(name: str) -> None:
    drawing = svg(PLOTS[name])
    assert drawing.attrib["role"] == "img"
    title, told = drawing.find("title"), drawing.find("desc")
    assert title is not None
    assert told is not None
    assert title.text
    assert told.text
    assert drawing.attrib["aria-label"] == f"{title.text}: {told.text}"
    x, y, width, height = map(float, drawing.attrib["viewBox"].split())
    assert (x, y) == (0, -10)
    assert min(width, height) > 10
    for shape in drawing.iter():
        for key, value in shape.attrib.items():
            if key in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height"):
                assert math.isfinite(float(value))
            assert key not in ("fill", "stroke", "style")  # colours are the page's


def test_long_names_of_bars_have_room() -> None:
    name = "ras-dagger+autoregressive=true"
    drawing = svg(interval_bars("bars", {name: figure(0.5, 0.4, 0.6)}))
    (label,) = (text for text in drawing.findall("text") if text.text == name)
    assert float(label.attrib["x"]) >= 7 * len(name)
    (bar,) = drawing.findall("rect")
    left, wide = numbers(bar, "x", "width")
    assert left > float(label.attrib["x"])
    assert wide == 210
    assert float(drawing.attrib["viewBox"].split()[2]) > left + 420


def test_bars_are_as_long_as_their_values_and_undefined_ones_are_not_there() -> None:
    drawing = svg(PLOTS["bars"])
    bars = drawing.findall("rect")
    widths = [numbers(bar, "width")[0] for bar in bars]
    assert len(bars) == 2
    assert widths[1] == 2 * widths[0]
    whisker = next(line for line in drawing.findall("line") if line.attrib["class"] == "interval")
    left, low, high = *numbers(bars[0], "x"), *numbers(whisker, "x1", "x2")
    assert (low - left) / widths[1] == pytest.approx(0.4)
    assert (high - left) / widths[1] == pytest.approx(0.6)
    assert [text.text for text in drawing.findall("text")][:2] == ["all", "50.0"]
    assert "a<b" in [text.text for text in drawing.findall("text")]


def test_histogram_counts_every_query_once() -> None:
    drawing = svg(PLOTS["histogram"])
    bars = drawing.findall("rect")
    tall = [numbers(bar, "height")[0] for bar in bars]
    assert len(bars) == 20
    assert [place for place, one in enumerate(tall) if one] == [0, 10, 19]
    assert tall[0] == 2 * tall[10] == 2 * tall[19]
    assert "4 queries, of which 2 at exactly 0 and 1 at exactly 1" in drawing.attrib["aria-label"]


def test_reliability_dots_lie_where_they_should() -> None:
    drawing = svg(PLOTS["reliability"])
    dots = drawing.findall("circle")
    assert len(dots) == 1
    diagonal = next(line for line in drawing.findall("line") if line.attrib["class"] == "diagonal")
    x1, y1, x2, y2 = numbers(diagonal, "x1", "y1", "x2", "y2")
    x, y = numbers(dots[0], "cx", "cy")
    assert (x - x1) / (x2 - x1) == pytest.approx(0.75)
    assert (y - y1) / (y2 - y1) == pytest.approx(0.5)
    assert svg(PLOTS["no reliability"]).findall("circle") == []


def test_confusion_is_shaded_by_the_share_of_its_row() -> None:
    cells = svg(PLOTS["confusion"]).findall("rect")
    assert [float(cell.attrib["fill-opacity"]) for cell in cells] == [0.75, 0.25, 0, 0]
