"""Time of a question in the browser's page, from the click to the drawn answer, in Chromium.

    python bench/page.py [--questions 40] [--picture docs/images/page.webp]

Starts a server, opens the first sample and asks its sentences in turn. The first question is told
apart, as it is the one that compiles and loads; the fastest is the one that other programs
disturbed least. With `--picture` the page's picture in the docs is taken as well. Needs selenium
and Debian's packages chromium and chromium-driver.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

SERVE = (sys.executable, "-m", "askmask", "serve", "--port", "0")
ANSWERS = "return performance.getEntriesByName('askmask:answer').map((one) => one.duration)"
SIZE = {"width": 1440, "height": 900, "mobile": False}


def start() -> tuple[subprocess.Popen[str], int]:
    """A server process and its port."""
    server = subprocess.Popen(SERVE, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    for line in server.stderr:
        if line.startswith("{"):
            break
    # Whatever it logs is to be read, or it would wait.
    threading.Thread(target=server.stderr.read, daemon=True).start()
    return server, json.loads(line)["port"]


def open_browser(profile: str) -> Chrome:
    """Chromium without a window."""
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    quiet = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run")
    for switch in (*quiet, "--hide-scrollbars", f"--user-data-dir={profile}"):
        options.add_argument(switch)
    browser = Chrome(options, Service("/usr/bin/chromedriver"))
    resize(browser, 1)
    return browser


def resize(browser: Chrome, pixels: float) -> None:
    """Give the page its size, with so many pixels of the screen to one of its own."""
    size = {**SIZE, "deviceScaleFactor": pixels}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def wait(browser: Chrome, code: str) -> None:
    """Wait until a script returns something true."""
    until = time.monotonic() + 120
    while not browser.execute_script(code):
        if time.monotonic() > until:
            raise TimeoutError(code)
        time.sleep(0.05)


def ask(browser: Chrome, number: int) -> None:
    """Click on a suggestion and wait for its answer."""
    before = len(browser.execute_script(ANSWERS))
    suggestions = browser.find_elements(By.CSS_SELECTOR, ".suggestion")
    suggestions[number % len(suggestions)].click()
    wait(browser, f"{ANSWERS}.length > {before}")


def take_picture(browser: Chrome, path: Path, typical: float) -> None:
    """Save an answer to the first suggestion that took no longer than is typical."""
    for _ in range(200):
        ask(browser, 0)
        if browser.execute_script(ANSWERS)[-1] <= typical:
            break
    resize(browser, 1.5)
    browser.execute_script("document.activeElement.blur()")
    time.sleep(0.5)
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    with Image.open(io.BytesIO(base64.b64decode(shot["data"]))) as picture:
        picture.convert("RGB").save(path, quality=88, method=6)


def main() -> None:
    """Measure, print, and take the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    server, port = start()
    with tempfile.TemporaryDirectory() as profile:
        browser = open_browser(profile)
        try:
            browser.get(f"http://127.0.0.1:{port}/")
            wait(browser, "return document.querySelector('.sample') !== null")
            browser.find_element(By.CSS_SELECTOR, ".sample").click()
            wait(browser, "return document.querySelector('.suggestion') !== null")
            for number in range(arguments.questions + 1):
                ask(browser, number)
            first, *later = browser.execute_script(ANSWERS)
            if arguments.picture:
                take_picture(browser, arguments.picture, statistics.median(later))
        finally:
            browser.quit()
            server.terminate()
            server.wait()
    median, most = (statistics.quantiles(later, n=10)[place] for place in (4, 8))
    print(f"first question {first:.0f} ms")
    print(f"{len(later)} later ones: fastest {min(later):.0f} ms, median {median:.0f} ms")
    print(f"nine in ten of them below {most:.0f} ms")


if __name__ == "__main__":
    main()
