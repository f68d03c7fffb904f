"""A real browser, Debian's Chromium without a window, for pages opened from disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Chromium with an empty profile; skips where it is not installed."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("needs Debian's packages chromium and chromium-driver")
    options = Options()
    options.binary_location = chromium
    for switch in (*QUIET, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    window = webdriver.Chrome(options, Service(driver))
    yield window
    window.quit()


@pytest.fixture
def visit(browser: webdriver.Chrome) -> Iterator[Callable[[Path], webdriver.Chrome]]:
    """Open the page of a folder; fails in the end on any message of the console."""
    browser.get_log("browser")

    def open_page(folder: Path) -> webdriver.Chrome:
        browser.get((folder / "index.html").as_uri())
        return browser

    yield open_page
    assert browser.get_log("browser") == []


def broken_pictures(browser: webdriver.Chrome) -> list[str]:
    """Addresses of pictures on the open page that do not load; scrolls to each of them."""
    pictures = browser.find_elements(By.TAG_NAME, "img")
    for picture in pictures:
        browser.execute_script("arguments[0].scrollIntoView()", picture)
    loaded = """
        const [pictures, done] = arguments;
        Promise.allSettled(pictures.map((one) => one.decode())).then((all) => {
          const broken = pictures.filter((_, place) => all[place].status !== "fulfilled");
          done(broken.map((one) => one.src));
        });
    """
    broken: list[str] = browser.execute_async_script(loaded, pictures)
    return broken
