"""RAS on tiny language models: what is read, in one pass, and what is saved."""

import numpy as np
import pytest
import torch
from tiny_chats import save_tiny
from tiny_proposers import picture

from askmask.errors import ConfigError, WeightsError
from askmask.models.hub.chat import Grid
from askmask.models.hub.loading import Where
from askmask.models.hub.lora import LoraSettings
from askmask.models.hub.mask_tokens import MaskTokens, MaskTokensConfig, coverage
from askmask.models.hub.ras import RasSelector
from askmask.types import Candidates, Masks, Query

IMAGE = picture(180, 240)


def blocks(*corners):
    masks = np.zeros((len(corners), 180, 240), bool)
    for mask, (y, x) in zip(masks, corners, strict=True):
        mask[y : y + 60, x : x + 60] = True
    return Masks.from_dense(masks)


MASKS = blocks((45, 60), (90, 120), (10, 150))


@pytest.fixture(scope="module", params=["qwen2_5_vl", "qwen3_vl", "llava"])
def selector(request, tmp_path_factory):
    base = save_tiny(request.param, tmp_path_factory.mktemp("base"), layers=2)
    made = RasSelector.new(str(base), Where("cpu"), LoraSettings())
    torch.manual_seed(0)
    for name, parameter in made.network.named_parameters():
        if "lora_B" in name:  # new adapters change nothing yet
            torch.nn.init.normal_(parameter, std=0.2)
    made.network.eval()
    return made


def logits(selector, text, references=None, masks=MASKS):
    with torch.no_grad():
        return selector.logits(IMAGE, masks, Query(text, references)).numpy()


def test_the_language_model_reads_once(selector, monkeypatch):
    read = []
    language = selector._chat.model.model.language_model
    forward = language.forward
    monkeypatch.setattr(language, "forward", lambda **given: read.append(1) or forward(**given))
    assert logits(selector, "the red block").shape == (3,)
    assert len(read) == 1


def test_candidates_are_judged_by_text_picture_and_references(selector):
    plain = logits(selector, "find the red block")
    assert np.ptp(plain) > 1e-4
    assert np.abs(logits(selector, "find the green block") - plain).max() > 1e-4
    first, second = (logits(selector, "what is like [1]", MASKS[[place]]) for place in (0, 1))
    assert np.abs(first - second).max() > 1e-4
    with torch.no_grad():
        other = selector.logits(255 - IMAGE, MASKS, Query("find the red block")).numpy()
    assert np.abs(other - plain).max() > 1e-4


def test_a_reference_that_is_not_named_stands_behind_the_text(selector):
    seen = selector._seen(IMAGE)
    named = selector._prompt("left of [2]", 3, 2, seen)
    assert named.order == [1, 0]
    assert named.references[1] == named.references[0] + 2
    assert named.again == len(named.ids) - 6
    np.testing.assert_array_equal(
        logits(selector, "red", MASKS[[0]]), logits(selector, "red[1]", MASKS[[0]])
    )


def test_words_of_the_template_in_a_sentence_do_no_harm(selector):
    image, end = "<|image_pad|>", "<|im_end|>"
    np.testing.assert_array_equal(
        logits(selector, f"the red{image} block{end}"), logits(selector, "the red block")
    )


def test_saved_and_loaded_it_answers_the_same(selector, tmp_path):
    selector.save_pretrained(tmp_path)
    again = RasSelector.load(str(tmp_path), Where("cpu"))
    np.testing.assert_allclose(
        logits(again, "the red block", MASKS[[1]]),
        logits(selector, "the red block", MASKS[[1]]),
        atol=1e-6,
    )
    (tmp_path / "adapter" / "adapter_model.safetensors").unlink()
    with pytest.raises(WeightsError, match="expected adapters of this model"):
        RasSelector.load(str(tmp_path), Where("cpu"))


def test_an_answer_is_what_belongs_or_nothing(selector):
    candidates = Candidates(MASKS, MASKS, np.ones(3, np.float32))
    told = logits(selector, "the red block")
    with torch.no_grad():
        selector.tokens.select.bias -= float(np.sort(told)[1:].mean())  # one is above a half
    answer = selector.select(IMAGE, candidates, Query("the red block"))
    assert len(answer) == 1
    assert answer.masks.rles[0] == MASKS.rles[told.argmax()]
    with torch.no_grad():
        selector.tokens.select.bias -= 100
    answer = selector.select(IMAGE, candidates, Query("the red block"))
    assert len(answer) == 0
    assert answer.no_target_probability > 0.99
    nothing = selector.select(IMAGE, candidates_of(MASKS[:0]), Query("the red block"))
    assert len(nothing) == 0
    assert nothing.no_target_probability == 1


def candidates_of(masks):
    return Candidates(masks, masks, np.ones(len(masks), np.float32))


def test_without_saved_files(tmp_path):
    with pytest.raises(WeightsError, match=r"ras\.json is missing; give the folder"):
        RasSelector.load(str(tmp_path), Where("cpu"))


def test_adapters_need_layers_of_their_names(tmp_path):
    base = save_tiny("llava", tmp_path, layers=1)
    with pytest.raises(ConfigError, match="has no layers up, down"):
        RasSelector.new(str(base), Where("cpu"), LoraSettings(layers=("up", "down")))


class TestMaskTokens:
    def test_coverage_is_the_share_of_each_cell(self):
        mask = torch.zeros(4, 6, dtype=torch.bool)
        mask[:2, :3] = True
        shares = coverage(mask, Grid(0, (2, 3), (0, 0, 6, 4)))
        assert shares.tolist() == [[1, 0.5, 0], [0, 0, 0]]

    def test_cells_beyond_the_picture_are_empty(self):
        mask = torch.ones(4, 6, dtype=torch.bool)
        shares = coverage(mask, Grid(0, (3, 3), (0, -1, 6, 5)))
        assert shares.tolist() == [[0.5] * 3, [1] * 3, [0.5] * 3]

    def test_tokens_tell_masks_apart_by_look_and_by_place(self):
        torch.manual_seed(0)
        tokens = MaskTokens(MaskTokensConfig(8, positions=8))
        picture = torch.randn(4, 8)
        shares = torch.zeros(3, 2, 2)
        shares[0, 0, 0] = shares[1, 0, 1] = 1
        one, other, empty = tokens(picture, shares)
        assert (one - other).abs().max() > 1e-3
        same = tokens(picture[:1].expand(4, -1), shares)
        assert (same[0] - same[1]).abs().max() > 1e-3  # by place alone
        assert torch.isfinite(empty).all()
