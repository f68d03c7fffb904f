"""The page, driven in Chromium against a real server with the embedded model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from page_driver import Page, as_json
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from python_call import Python, without_time
from running import DEMO, Client, base64_of, running
from selenium.webdriver import Chrome, Keys

from askmask import rle
from askmask.models.embedded.segmenter import EmbeddedSegmenter
from askmask.overlay import draw_masks
from askmask.serve.page_files import PAGE
from askmask.types import Answer, Masks, MaskType, Query

JAR = "the whole jar of mayonnaise, also where the can of coffee covers it"
COFFEE = (330, 330)
"""A pixel on the can of coffee."""

SENTENCES = ("a bicycle", "a zebra", "the whole cola bottle", "the boxes", "something to drink")


def title(python: Python, query: Query | str) -> str:
    """What stands above an answer."""
    count = len(python.segmenter.answer(query))
    return f"{count} mask{'s' if count != 1 else ''}"


def one_of(python: Python, is_wanted: Callable[[Answer], bool]) -> tuple[str, Answer]:
    """A sentence with an answer of some kind, whatever the weights."""
    answers = ((text, python.segmenter.answer(text)) for text in SENTENCES)
    return next((text, answer) for text, answer in answers if is_wanted(answer))


@pytest.fixture(scope="module")
def site(embedded: EmbeddedSegmenter) -> Iterator[Client]:
    with running(embedded, page=PAGE) as client:
        yield client


@pytest.fixture
def page(browser: Chrome, site: Client) -> Iterator[Page]:
    """The page, newly loaded; fails in the end on what the console complains about."""
    browser.get_log("browser")
    page = Page(browser, f"http://127.0.0.1:{site.port}/")
    page.emulate()
    yield page.open()
    assert page.problems() == []


@pytest.fixture
def demo_page(page: Page) -> Page:
    """The page with the picture of the README."""
    return page.upload(DEMO)


def test_a_picture_and_a_sentence(demo_page: Page, python: Python) -> None:
    found = len(python.segmenter.candidates)
    assert demo_page.text("#said") == f"demo.png: {found} objects found."
    assert len(demo_page.all(".object")) == found
    demo_page.ask(JAR)
    answer = python.segmenter.answer(JAR)
    share = f"{100 * answer.mask_type_probability[MaskType.AMODAL]:.0f}%"
    assert demo_page.text("#answer-title") == "1 mask"
    assert demo_page.text("#said").startswith(f"1 mask, amodal {share}.")
    assert demo_page.type_chosen() == "amodal"
    assert share in demo_page.text(".type:has(:checked)")
    row = ["1", f"{answer.masks.areas[0]:,}", "pixels", f"{answer.scores[0]:.2f}"]
    assert demo_page.text(".masks").split() == row
    assert (answer.rationale or "") in demo_page.text(".why")
    label = str(demo_page.one("#canvas").get_attribute("aria-label"))
    assert label.startswith("demo.png. 1 mask, amodal")


def test_a_sample_and_its_suggestions(page: Page) -> None:
    page.click(".sample")
    page.wait("return !document.getElementById('work').hidden")
    with page.answering():
        page.click(".suggestion")
    assert page.value("#text") == page.text(".suggestion")
    assert page.type_chosen() == "amodal"


def test_a_click_makes_a_reference(demo_page: Page, python: Python) -> None:
    page = demo_page
    page.type("everything right of")
    page.point(*COFFEE).click().perform()
    assert page.value("#text") == "everything right of [1] "
    assert [one.text for one in page.all(".chip span:not([aria-hidden])")] == ["[1]"]
    with page.answering():
        page.press(Keys.ENTER)
    mask = python.segmenter.mask_at(*COFFEE)
    assert mask is not None
    query = Query("everything right of [1] ", Masks.from_dense(mask[None]))
    assert page.text("#answer-title") == title(python, query)
    page.point(100, 300).click().perform()
    assert page.value("#text") == "everything right of [1] [2] "
    page.click(".chip button")
    assert page.value("#text") == "everything right of [1] "
    assert len(page.all(".chip")) == 1
    page.ask("all boxes")
    assert page.all(".chip") == []


def test_what_becomes_of_a_sentence_with_references(page: Page) -> None:
    written = page.module(
        """
        const { insert, without } = await load("references.js");
        return [
          insert("left of", 7, 7, 1), insert("left of  and", 8, 8, 2), insert("", 0, 0, 3),
          insert("like this, but red", 5, 9, 1),
          without("left of [1] and behind [2], not [10]", 1), without("[1]", 1),
        ];
        """
    )
    assert [(one["text"], one["caret"]) for one in written[:4]] == [
        ("left of [1] ", 12),
        ("left of [2] and", 11),
        ("[3] ", 4),
        ("like [1], but red", 8),
    ]
    assert written[4:] == ["left of and behind [1], not [9]", ""]


def test_the_type_is_switched_by_hand(demo_page: Page) -> None:
    page = demo_page
    page.ask("all boxes")
    assert "chosen by the sentence" in page.text(".types legend")
    for kind in ("amodal", "hidden"):
        with page.answering():
            page.click(f"[name=type][value={kind}]")
        assert page.type_chosen() == kind
        assert "chosen by hand" in page.text(".types legend")
        assert page.script("return document.activeElement.value") == kind
    with page.answering():
        page.click(".types .link")
    assert page.type_chosen() == "modal"
    assert len(page.all(".asked")) == 1


def test_nothing_fits_and_unsure(demo_page: Page, python: Python) -> None:
    page = demo_page
    text, answer = one_of(python, lambda answer: len(answer) == 0)
    page.ask(text)
    share = f"{100 * (answer.no_target_probability or 0):.0f}%"
    assert page.text("#answer-title") == "Nothing fits"
    assert f"({share} sure)" in page.text(".nothing")
    assert page.text("#remark") == f"Nothing fits ({share})"
    assert page.all(".masks") == []
    text, answer = one_of(python, lambda answer: len(answer) > 0 and answer.unsure is not None)
    page.ask(text)
    assert page.text("#remark") == "Not sure"
    assert (answer.unsure or "")[1:] in page.text(".note")


def test_scores_of_an_object_under_the_pointer(demo_page: Page, python: Python) -> None:
    page = demo_page
    page.ask("all boxes")
    scores = python.segmenter.answer("all boxes").candidate_scores
    assert scores is not None
    card = page.one("#card")
    for number, button in enumerate(page.all(".object")):
        page.script("arguments[0].focus()", button)
        found = python.segmenter.candidates.score[number]
        said = button.get_attribute("aria-label")
        assert f"fits {scores[number]:.2f}, found with {found:.2f}" in str(said)
        assert [card.text.split("\n")[place] for place in (2, 4)] == [
            f"{scores[number]:.2f}",
            f"{found:.2f}",
        ]
    page.press(Keys.ESCAPE)
    assert not card.is_displayed()
    page.point(*COFFEE).perform()
    assert "not in the answer" in card.text
    page.point(100, 300).perform()
    assert "of the answer" in card.text
    page.point(5, 5).perform()
    assert not card.is_displayed()


def test_history_shows_again_without_asking(demo_page: Page, python: Python) -> None:
    page = demo_page
    absent, _ = one_of(python, lambda answer: len(answer) == 0)
    boxes = title(python, "all boxes")
    for text in (absent, "all boxes", absent):
        page.ask(text)
    asked = page.answers()
    assert [one.text.split("\n") for one in page.all(".asked")] == [
        [absent, "nothing fits"],
        ["all boxes", f"modal, {boxes}"],
    ]
    page.all(".asked")[1].click()
    assert page.text("#answer-title") == boxes
    assert page.value("#text") == "all boxes"
    assert page.text("[aria-current]").startswith("all boxes")
    assert page.answers() == asked


def test_markup_is_text(demo_page: Page) -> None:
    evil = '<img src=x onerror="throw 1"> the mug'
    demo_page.ask(evil)
    assert demo_page.text(".asked span") == evil
    assert demo_page.all("main img[src=x]") == []


def test_a_broken_picture(demo_page: Page, python: Python, tmp_path: Path) -> None:
    page = demo_page
    broken = tmp_path / "broken.png"
    broken.write_bytes(DEMO.read_bytes()[:3_000])
    page.one("#file").send_keys(str(broken))
    page.wait("return document.querySelector('#problem b') !== null")
    assert page.one("#problem").get_attribute("role") == "alert"
    assert page.text("#problem b") == "This picture cannot be used"
    assert "Choose another file: PNG, JPEG or WebP." in page.text("#problem")
    page.ask("all boxes")  # about the picture before
    assert page.text("#problem") == ""
    assert page.text("#answer-title") == title(python, "all boxes")


def test_a_question_that_cannot_be_asked(demo_page: Page) -> None:
    demo_page.type("left of [1]")
    demo_page.press(Keys.ENTER)
    demo_page.wait("return document.querySelector('#problem b') !== null")
    assert "the sentence says [1], but 0 reference masks" in demo_page.text("#problem").lower()


def test_the_server_goes_and_comes_back(demo_page: Page, python: Python) -> None:
    page = demo_page
    page.offline(True)
    try:
        page.type("all boxes")
        page.press(Keys.ENTER)
        page.wait("return document.querySelector('#problem b') !== null")
        assert page.text("#problem b") == "No answer"
    finally:
        page.offline(False)
    with page.answering():
        page.click("#problem button")
    assert page.text("#answer-title") == title(python, "all boxes")


def test_a_picture_that_the_server_forgot(
    demo_page: Page, site: Client, python: Python, demo: str
) -> None:
    _, kept = site.post("/v1/images", {"image": demo})
    assert site.raw("DELETE", f"/v1/images/{kept['id']}")[0] == 204
    demo_page.ask("all boxes")
    assert demo_page.text("#answer-title") == title(python, "all boxes")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(page: Page, event: str) -> None:
    page.script(
        """
        const bytes = Uint8Array.from(atob(arguments[0]), (one) => one.charCodeAt(0));
        const carried = new DataTransfer();
        carried.items.add(new File([bytes], "shelf.png", { type: "image/png" }));
        document.body.dispatchEvent(arguments[1] === "drop"
          ? new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true })
          : new ClipboardEvent("paste", { clipboardData: carried, bubbles: true }));
        """,
        base64_of(DEMO.read_bytes()),
        event,
    )
    page.wait("return !document.getElementById('work').hidden")
    assert page.text("#said").startswith("shelf.png: ")


def test_files_of_an_answer(demo_page: Page, python: Python, tmp_path: Path) -> None:
    page = demo_page
    page.ask(JAR)
    answer = python.segmenter.answer(JAR)
    buttons = {kind: f".exports button:nth-of-type({n})" for n, kind in enumerate("png", 1)}
    folders = [tmp_path / name for name in ("drawn", "coco", "record")]
    for folder in folders:
        folder.mkdir()
    drawn, coco, record = (
        page.downloaded(button, folder)
        for button, folder in zip(buttons.values(), folders, strict=True)
    )
    assert without_time(as_json(record)) == python.record(JAR, "demo.png")
    expected = answer.to_coco("demo.png")
    for annotation in expected["annotations"]:
        del annotation["askmask"]
    assert as_json(coco) == expected
    opened = COCO(str(coco))
    assert coco_mask.area(opened.annToRLE(opened.loadAnns([1])[0])) == answer.masks.areas[0]
    with Image.open(drawn) as picture, Image.open(DEMO) as plain:
        shown, bare = np.asarray(picture.convert("RGB")), np.asarray(plain.convert("RGB"))
    ours = draw_masks(bare, answer.masks, answer.modal, Masks.empty(bare.shape[:2]))
    differs = np.abs(shown.astype(int) - ours).mean()
    assert differs < 2.5 < np.abs(bare.astype(int) - ours).mean()


def test_codes_and_outlines(page: Page) -> None:
    chance = np.random.default_rng(0)
    masks = [chance.random((h, w)) < share for h, w, share in chance_sizes(chance)]
    masks += [np.zeros((3, 4), bool), np.ones((3, 4), bool), np.eye(40, dtype=bool)]
    codes = [dict(rle.encode(mask)) for mask in masks]
    found = page.module(
        """
        const { Mask } = await load("rle.js");
        return args[0].map((code) => {
          const mask = new Mask(code);
          const all = { x: 0, y: 0, width: mask.width, height: mask.height };
          return [mask.area, mask.box, [...mask.within(all)].join("")];
        });
        """,
        codes,
    )
    for mask, (area, box, pixels) in zip(masks, found, strict=True):
        assert area == mask.sum()
        assert pixels == "".join("01"[int(one)] for one in mask.ravel())
        corners = box and [box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]]
        assert corners == (list(rle.box_xyxy(rle.encode(mask)) or ()) or None)

    ring = np.zeros((80, 90), bool)
    ring[10:70, 12:80] = True
    ring[30:50, 30:60] = False
    filled = page.module(
        """
        const { shape } = await load("shapes.js");
        const canvas = new OffscreenCanvas(90, 80);
        const pen = canvas.getContext("2d");
        const { whole, mark } = shape(args[0]);
        pen.fill(whole);
        const inked = pen.getImageData(0, 0, 90, 80).data.filter((_, place) => place % 4 === 3);
        return [[...inked].map((ink) => (ink > 127 ? 1 : 0)).join(""), mark];
        """,
        dict(rle.encode(ring)),
    )
    drawn = np.array([int(one) for one in filled[0]], bool).reshape(ring.shape)
    assert (drawn ^ ring).sum() < 0.02 * ring.sum()
    assert ring[int(filled[1]["y"]), int(filled[1]["x"])]


def chance_sizes(chance: np.random.Generator) -> Iterator[tuple[int, int, float]]:
    for _ in range(30):
        yield int(chance.integers(1, 60)), int(chance.integers(1, 60)), float(chance.random())


def test_the_keyboard_alone(page: Page) -> None:
    page.tab_to(".sample")
    page.press(Keys.ENTER)
    page.wait("return !document.getElementById('work').hidden")
    page.tab_to("#text")
    with page.answering():
        page.press("all boxes", Keys.ENTER)
    page.tab_to("[name=type]")
    with page.answering():
        page.press(Keys.ARROW_RIGHT)
    assert page.type_chosen() == "amodal"
    assert page.script("return document.activeElement.value") == "amodal"
    page.tab_to(".object")
    outline = page.script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    assert page.one("#card").is_displayed()
    page.press(Keys.ENTER)
    assert page.value("#text") == "all boxes [1] "
    assert page.script("return document.activeElement.matches('.object')")
    page.tab_to(".asked")
    page.press(Keys.ENTER)
    assert page.value("#text") == "all boxes"


def test_a_phone(page: Page) -> None:
    page.emulate(390, 844)
    too_wide = "return document.documentElement.scrollWidth > innerWidth"
    assert not page.script(too_wide)
    page.upload(DEMO).ask(JAR)
    assert not page.script(too_wide)
    assert page.one("#canvas").size["width"] >= 340
    page.point(*COFFEE).click().perform()
    assert "[1]" in page.value("#text")
    assert not page.script(too_wide)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_axe_finds_nothing_serious(page: Page, tmp_path: Path, width: int, theme: str) -> None:
    page.emulate(width, 844, theme)
    assert page.serious_issues() == []
    page.upload(DEMO)
    page.ask("a bicycle")
    page.point(*COFFEE).click().perform()
    page.ask("the whole cola bottle next to [1]")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    page.one("#file").send_keys(str(broken))
    page.wait("return document.querySelector('#problem b') !== null")
    assert page.serious_issues() == []


def test_axe_would_find_something(page: Page) -> None:
    page.script("document.getElementById('theme').ariaLabel = ''")
    page.script("document.getElementById('theme').title = ''")
    page.script("document.querySelector('label[for=text]').remove()")
    page.upload(DEMO)
    assert any(issue.startswith("label") for issue in page.serious_issues())


def test_the_theme_is_chosen_and_kept(page: Page) -> None:
    paper = "return getComputedStyle(document.body).backgroundColor"
    light = page.script(paper)
    assert page.one("#theme").get_attribute("aria-label") == "Switch to the dark theme"
    page.click("#theme")
    dark = page.script(paper)
    assert dark != light
    page.open()
    assert page.script(paper) == dark
    page.click("#theme")
    assert page.script(paper) == light


def test_a_server_that_asks_for_a_token(
    browser: Chrome, embedded: EmbeddedSegmenter, python: Python
) -> None:
    with running(embedded, token="sesame", page=PAGE) as client:
        page = Page(browser, f"http://127.0.0.1:{client.port}/")
        page.emulate()
        page.open()
        page.wait("return document.getElementById('token-dialog').open")
        assert page.serious_issues() == []
        page.press("wrong", Keys.ENTER)
        page.wait("return document.getElementById('token-wrong').textContent !== ''")
        page.press("sesame", Keys.ENTER)
        page.wait("return document.getElementById('model').textContent === 'embedded-v1'")
        page.upload(DEMO).ask("all boxes")
        assert page.text("#answer-title") == title(python, "all boxes")
        page.open()
        page.wait("return document.getElementById('model').textContent === 'embedded-v1'")
        assert page.problems() == []
