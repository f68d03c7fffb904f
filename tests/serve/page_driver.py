"""The page of a running server, used in Chromium as a person would."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

AXE = resources.files("axe_core_python") / "axe.min.js"
PATIENCE = 60  # seconds


class Page:
    """One tab; elements are named by CSS selectors."""

    def __init__(self, browser: Chrome, address: str) -> None:
        self.browser, self.address = browser, address

    def open(self) -> Page:
        """Load the page anew."""
        self.browser.get(self.address)
        self.wait("return document.querySelectorAll('.sample').length > 0")
        return self

    def script(self, code: str, *arguments: Any) -> Any:
        return self.browser.execute_script(code, *arguments)

    def module(self, code: str, *arguments: Any) -> Any:
        """Run code in which `load("rle.js")` gives a module of the page."""
        return self.browser.execute_async_script(
            "const [done, args] = [arguments[arguments.length - 1], [...arguments].slice(0, -1)];"
            "const load = (name) => import(new URL(name, location.href));"
            f"(async () => {{ {code} }})().then(done, (error) => done(`${{error}}`));",
            *arguments,
        )

    def wait(self, code: str) -> None:
        """Wait until a script returns something true."""
        until = time.monotonic() + PATIENCE
        while not self.script(code):
            assert time.monotonic() < until, f"{code}\n{self.text('body')}"
            time.sleep(0.02)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.one(selector).text

    def value(self, selector: str) -> str:
        return str(self.one(selector).get_property("value"))

    def click(self, selector: str) -> None:
        self.one(selector).click()

    def press(self, *keys: str) -> None:
        """Type where the focus is."""
        ActionChains(self.browser).send_keys(*keys).perform()

    def tab_to(self, selector: str) -> None:
        """Press Tab until the focus is on an element."""
        for _ in range(60):
            if self.script("return document.activeElement.matches(arguments[0])", selector):
                return
            self.press(Keys.TAB)
        raise AssertionError(f"Tab does not reach {selector}")

    # What people do -------------------------------------------------------------------------

    def upload(self, path: Path) -> Page:
        self.one("#file").send_keys(str(path))
        self.wait("return !document.getElementById('work').hidden")
        return self

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Wait at the end of the block until a question that it asked is answered."""
        before = self.answers()
        yield
        self.wait(f"return performance.getEntriesByName('askmask:answer').length > {before}")

    def answers(self) -> int:
        """Number of questions that were answered."""
        return int(self.script("return performance.getEntriesByName('askmask:answer').length"))

    def ask(self, text: str) -> None:
        with self.answering():
            self.type(text)
            self.press(Keys.ENTER)

    def type(self, text: str) -> None:
        field = self.one("#text")
        field.clear()
        field.send_keys(text)

    def type_chosen(self) -> str:
        return self.value("[name=type]:checked")

    def point(self, x: int, y: int) -> ActionChains:
        """Move the pointer to a pixel of the picture; to be performed."""
        box, (width, height) = self.one("#canvas").size, self.picture_size()
        across = round((x + 0.5) / width * box["width"] - box["width"] / 2)
        down = round((y + 0.5) / height * box["height"] - box["height"] / 2)
        return ActionChains(self.browser).move_to_element_with_offset(
            self.one("#canvas"), across, down
        )

    def picture_size(self) -> tuple[int, int]:
        return (640, 480)

    # How it is shown ------------------------------------------------------------------------

    def emulate(self, width: int = 1280, height: int = 900, theme: str = "light") -> None:
        phone = width < 600
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        feature = {"name": "prefers-color-scheme", "value": theme}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature, still]})

    def offline(self, yes: bool) -> None:
        network = {"offline": yes, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.browser.execute_cdp_cmd("Network.enable", {})
        self.browser.execute_cdp_cmd("Network.emulateNetworkConditions", network)

    def serious_issues(self) -> list[str]:
        """What axe-core finds that is serious or critical."""
        if not self.script("return 'axe' in window"):
            self.script(AXE.read_text("utf-8"))
        found = self.browser.execute_async_script("axe.run().then(arguments[0])")
        assert len(found["passes"]) > 10  # it has looked
        return [
            f"{one['id']}: {[node['html'][:120] for node in one['nodes'][:3]]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]

    def downloaded(self, selector: str, folder: Path) -> Path:
        """Click on something and return the file that it saves in an empty folder."""
        self.browser.execute_cdp_cmd(
            "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)}
        )
        self.click(selector)
        until = time.monotonic() + PATIENCE
        while not (files := [one for one in folder.iterdir() if one.suffix in (".png", ".json")]):
            assert time.monotonic() < until
            time.sleep(0.02)
        return files[0]

    def problems(self) -> list[str]:
        """Console messages, but for refusals that a test asked for."""
        messages = [entry["message"] for entry in self.browser.get_log("browser")]
        return [one for one in messages if "Failed to load resource" not in one]


def as_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
