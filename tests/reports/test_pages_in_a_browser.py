"""The pages of an evaluation, a comparison and a leaderboard, opened in Chromium."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from benchmark import EVIL, half, right, write_benchmark, write_run
from chromium import broken_pictures
from command import Run
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from askmask.formats.askmask import read_queries

Visit = Callable[[Path], Chrome]


@pytest.fixture
def runs(tmp_path: Path, run: Run) -> list[Path]:
    """Two finished runs with figures: `reader` is right, `habit` half right."""
    queries = write_benchmark(tmp_path / "data")
    folders = []
    for name, answer in (("habit", half), ("reader", right)):
        folder = tmp_path / name
        write_run(folder, queries, [answer(one) for one in read_queries(queries)], name)
        out = ("--out", folder / "metrics.json", "--report", tmp_path / f"page-{name}")
        outcome = run("evaluate", folder, "--against", queries, *out)
        assert outcome.code == 0, outcome.err
        folders.append(folder)
    return folders


def fits(browser: Chrome) -> bool:
    """Whether nothing sticks out of the window to the right."""
    width = "return document.documentElement.scrollWidth <= window.innerWidth"
    return bool(browser.execute_script(width))


def test_the_page_of_an_evaluation_shows_its_plots_and_cases(
    visit: Visit, tmp_path: Path, runs: list[Path]
) -> None:
    browser = visit(tmp_path / "page-habit")
    assert broken_pictures(browser) == []
    plots = browser.find_elements(By.CSS_SELECTOR, "figure svg")
    assert plots
    assert all(min(plot.size.values()) > 50 for plot in plots)
    assert EVIL in browser.find_element(By.TAG_NAME, "body").text
    assert fits(browser)


def test_a_leaderboard_is_sorted_by_the_heading_that_is_pressed(
    visit: Visit, tmp_path: Path, run: Run, runs: list[Path]
) -> None:
    assert run("leaderboard", *runs, "--out", tmp_path / "site").code == 0
    browser = visit(tmp_path / "site")

    def order() -> list[str]:
        rows = browser.find_elements(By.CSS_SELECTOR, "table:first-of-type tbody tr")
        return [name for row in rows for name in ("habit", "reader") if name in row.text]

    assert order() == ["reader", "habit"]
    button = next(
        one for one in browser.find_elements(By.CSS_SELECTOR, "th button") if one.text == "gIoU"
    )
    button.click()
    button.click()
    assert order() == ["habit", "reader"]
    assert fits(browser)
