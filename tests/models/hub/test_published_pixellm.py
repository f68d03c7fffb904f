import pytest
import torch
from official_llava import picture
from official_pixellm import OfficialPixellm

from askmask.models.hub.loading import Where
from askmask.models.hub.published.pixellm import PublishedPixellm
from askmask.models.hub.published.segmenter import Drawn


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    with torch.inference_mode():
        made = OfficialPixellm(tmp_path_factory.mktemp("pixellm"))
        made.answer = [*made.book, made.tokenizer.eos_token_id]
        made.say(made.ids, made.pictured, made.answer, visible=made.visible)
        made.logits(made.answer)
    made.save(inside="hf_model")
    return made


@pytest.fixture(scope="module")
def pixellm(official):
    return PublishedPixellm.load(str(official.folder), Where("cpu"))


def test_draws_what_the_authors_code_draws(official, pixellm, monkeypatch):
    drawn, make = [], Drawn.of
    monkeypatch.setattr(
        Drawn, "of", lambda logits, *more: drawn.append(logits) or make(logits, *more)
    )
    pixellm.set_image(picture())
    answer = pixellm.answer("the red mug")
    with torch.inference_mode():
        expected = official.logits(official.answer)
    assert expected.std() > 0.1
    torch.testing.assert_close(drawn[0], expected, rtol=0, atol=1e-4)
    assert len(answer) == 1
    assert answer.masks.size_hw == (45, 60)
    assert answer.rationale.startswith("PixelLM said: [SEG0]")


def test_half_a_codebook_draws_nothing(pixellm):
    cut = PublishedPixellm.load(pixellm.model_id, Where("cpu"), most_tokens=4)
    cut.set_image(picture())
    answer = cut.answer("the red mug")
    assert len(answer) == 0
    assert "it drew no mask" in answer.rationale


def test_a_codebook_is_forced(pixellm):
    forced = PublishedPixellm.load(pixellm.model_id, Where("cpu"), forced=True)
    forced.set_image(picture(60, 45))
    assert len(forced.answer("What holds tea?")) == 1
