"""The page to look through a benchmark, driven in Chromium as a person would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from chromium import broken_pictures
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from askmask import rle
from askmask.browse import write_page
from askmask.formats.askmask import QueryRecord, Target
from askmask.images import write_png

EVIL = '<img src=x onerror="console.error(1)"> the mug'


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Thirty queries, ten of them amodal and one of them with markup in its text."""
    mask = np.zeros((120, 160), bool)
    mask[30:90, 40:80] = True
    area = rle.encode(mask)
    (tmp_path / "images").mkdir()
    write_png(tmp_path / "images/a.png", np.full((120, 160, 3), 128, np.uint8))
    queries = [
        QueryRecord(
            f"q{number}",
            "images/a.png",
            120,
            160,
            EVIL if number == 7 else f"the mug {number}",
            (Target(area, 1, "mug", area),),
            mask_type="modal" if number % 3 else "amodal",
            tags=("plain",),
        )
        for number in range(30)
    ]
    out = tmp_path / "page"
    out.mkdir()
    write_page(out, "bench", [("val", tmp_path, queries)])
    return out


def cards(browser: Chrome) -> list[str]:
    return [one.text for one in browser.find_elements(By.CSS_SELECTOR, "article .sentence")]


def test_pages_pictures_and_texts(visit: Callable[[Path], Chrome], page: Path) -> None:
    browser = visit(page)
    assert browser.title == "bench"
    assert len(cards(browser)) == 24
    assert cards(browser)[7] == EVIL
    assert broken_pictures(browser) == []
    browser.find_element(By.ID, "next").click()
    assert cards(browser) == [f"the mug {number}" for number in range(24, 30)]
    assert not browser.find_element(By.ID, "next").is_enabled()


def test_filters_are_kept_in_the_address(visit: Callable[[Path], Chrome], page: Path) -> None:
    browser = visit(page)
    browser.find_element(By.ID, "type").send_keys("amodal")
    assert browser.find_element(By.ID, "count").text == "10 of 30 queries"
    browser.find_element(By.ID, "text").send_keys("mug 1 5")
    assert cards(browser) == ["the mug 15"]
    browser.refresh()
    assert cards(browser) == ["the mug 15"]


def test_a_press_takes_the_masks_off_and_puts_them_back(
    visit: Callable[[Path], Chrome], page: Path
) -> None:
    browser = visit(page)
    picture = browser.find_element(By.CSS_SELECTOR, "article img")
    drawn = picture.get_attribute("src")
    browser.find_element(By.CSS_SELECTOR, "article button").click()
    assert "picture-" in str(picture.get_attribute("src"))
    browser.find_element(By.CSS_SELECTOR, "article button").click()
    assert picture.get_attribute("src") == drawn
