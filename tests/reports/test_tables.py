"""CSV that holds what the report holds, and tables of a page."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from benchmark import half, query
from pages import parse

from askmask.errors import OutputError
from askmask.metrics import Figure, evaluate
from askmask.reports.tables import figures_table, interval, percent, slices_table, write_figures_csv

QUERIES = [query(number) for number in range(6)]
REPORT = evaluate(QUERIES, [half(one) for one in QUERIES], "select", data="abc", resamples=20)
NAN = float("nan")


def read_back(path: Path) -> dict[tuple[str, str], Figure]:
    with path.open(encoding="utf-8", newline="") as stream:
        return {
            (row["slice"], row["metric"]): Figure(
                *(float(row[key] or "nan") for key in ("value", "low", "high")),
                int(row["n"]),
                row["signature"],
            )
            for row in csv.DictReader(stream)
        }


def test_figures_come_back_from_csv_with_every_digit(tmp_path: Path) -> None:
    write_figures_csv(tmp_path / "a.csv", REPORT)
    found = read_back(tmp_path / "a.csv")
    groups = {"": REPORT.metrics, **REPORT.slices}
    wanted = {(of, name): one for of, group in groups.items() for name, one in group.items()}
    assert found.keys() == wanted.keys()
    assert any(math.isnan(one.value) for one in wanted.values())  # empty cells are tested too
    for key, one in wanted.items():
        assert repr(found[key]) == repr(one)


def test_csv_says_where_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"none/a\.csv"):
        write_figures_csv(tmp_path / "none" / "a.csv", REPORT)


def test_numbers_as_text() -> None:
    assert (percent(0.12345), percent(1.0, 0), percent(NAN)) == ("12.35", "100", "-")
    assert interval(Figure(0.5, 0.4, 0.6, 3, "s")) == "40.00 to 60.00"
    assert interval(Figure(NAN, NAN, NAN, 0, "s")) == "-"


def test_tables_hold_every_figure() -> None:
    page = parse(figures_table("Figures", REPORT.metrics))
    assert page.texts("caption") == ["Figures"]
    assert page.texts("code") == [one.signature for one in REPORT.metrics.values()]
    page = parse(slices_table("Slices", REPORT.slices))
    assert page.texts("th")[1:] == [*REPORT.metrics, *REPORT.slices]
    assert len(page.all("td")) == len(REPORT.metrics) * len(REPORT.slices)
