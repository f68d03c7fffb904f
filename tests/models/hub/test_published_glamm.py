import numpy as np
import pytest
import torch
from official_glamm import OfficialGlamm, aligned
from official_llava import WIDTH, picture

from askmask.models.hub.loading import Where
from askmask.models.hub.published.glamm import PublishedGlamm, roi_align
from askmask.models.hub.published.segmenter import Drawn
from askmask.types import Masks, Query

SYSTEM = (
    "A chat between a curious human and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the human's questions. USER: The"
)
OVERVIEW = "provides an overview of the picture."


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    with torch.inference_mode():
        made = OfficialGlamm(tmp_path_factory.mktemp("glamm"))
        question = f"{OVERVIEW}\nCan you segment the red mug in this image? ASSISTANT:"
        made.ids = made.prompt(SYSTEM, question)
        made.answer = [made.seg, made.tokenizer.eos_token_id]
        made.say(made.ids, made.pictured, made.answer)
        made.logits([*made.ids, *made.answer])
        made.region(torch.tensor([0.0, 0.0, 1.0, 1.0]))
    made.save(pickled=True)
    return made


@pytest.fixture(scope="module")
def glamm(official):
    return PublishedGlamm.load(str(official.folder), Where("cpu"))


@pytest.fixture
def drawn(monkeypatch):
    """Logits of the masks that are drawn."""
    seen, make = [], Drawn.of
    monkeypatch.setattr(
        Drawn, "of", lambda logits, *more: seen.append(logits) or make(logits, *more)
    )
    return seen


def test_draws_what_the_authors_code_draws(official, glamm, drawn):
    glamm.set_image(picture())
    answer = glamm.answer("red mug")
    with torch.inference_mode():
        expected = official.logits([*official.ids, *official.answer])
    assert expected.std() > 0.1
    torch.testing.assert_close(drawn[0], expected, rtol=0, atol=1e-4)
    assert answer.rationale.startswith("GLaMM said: [SEG]")


def test_a_reference_enters_by_its_box(official, glamm, drawn):
    mask = np.zeros((45, 60), bool)
    mask[9:18, 12:48] = True
    query = Query("What is left of [1]?", Masks.from_dense(mask[None]))
    forced = PublishedGlamm.load(glamm.model_id, Where("cpu"), forced=True)
    forced.set_image(picture())
    answer = forced.answer(query)
    assert answer.unsure is None
    tokens = official.tokenizer
    before, after, stop = (
        tokens(text, add_special_tokens=False).input_ids
        for text in (f"{OVERVIEW}\nWhat is left of", "? ASSISTANT:", ".")
    )
    ids = [*official.prompt(SYSTEM, ""), *before, official.box, *after, official.seg, *stop]
    with torch.inference_mode():
        region = official.region(torch.tensor([12 / 60, 9 / 45, 48 / 60, 18 / 45]))
        expected = official.logits(ids, region)
        elsewhere = official.logits(ids, official.region(torch.tensor([0.0, 0.5, 0.5, 1.0])))
    torch.testing.assert_close(drawn[0], expected, rtol=0, atol=1e-4)
    assert (expected - elsewhere).abs().max() > 1e-2


def test_a_reference_that_is_not_named_stands_at_the_end(glamm, monkeypatch):
    heard, speak = [], glamm._llava.speak
    monkeypatch.setattr(
        glamm._llava, "speak", lambda pieces, **how: heard.append(pieces) or speak(pieces, **how)
    )
    glamm.set_image(picture())
    references = Masks.from_dense(np.stack([np.ones((45, 60), bool), np.zeros((45, 60), bool)]))
    glamm.answer(Query("the mug beside [1]", references))
    words = [piece if isinstance(piece, str) else tuple(piece.shape) for piece in heard[0][1:]]
    region = (1, WIDTH)
    assert words == [
        (9, WIDTH),
        f"<im_end> {OVERVIEW}\nCan you segment the the mug beside",
        region,
        "",
        region,
        "in this image? ASSISTANT:",
    ]


@pytest.mark.parametrize("box", [(0, 0, 8, 8), (-3, 2, 4, 30), (1.3, 2.7, 1.4, 2.8), (5, 5, 5, 5)])
def test_boxes_are_sampled_as_mmcv_does(box):
    grid = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0))
    found = roi_align(grid, torch.tensor([box], dtype=torch.float32), 0.8, 3)
    torch.testing.assert_close(found[0], aligned(grid, box, 0.8, 3), rtol=0, atol=1e-5)
