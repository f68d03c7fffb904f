import shutil

import numpy as np
import pytest
import torch
from official_llava import WIDTH, OfficialLlava, picture
from official_weights import OfficialSam
from safetensors.torch import save_file

from askmask import rle
from askmask.errors import ConfigError, QueryError, WeightsError
from askmask.models.hub.loading import Where
from askmask.models.hub.preprocessing import SAM1
from askmask.models.hub.published.lisa import PublishedLisa
from askmask.models.hub.published.segmenter import Drawn
from askmask.models.segmenter import MaskTyper, PictureKeeper, Segmenter
from askmask.types import Masks, MaskType, Query

SYSTEM = (
    "A chat between a curious human and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the human's questions. USER:"
)
QUESTION = "What is the red mug in this image? Please output segmentation mask. ASSISTANT:"


class OfficialLisa(OfficialLlava):
    """The authors' `evaluate`, in our words."""

    def __init__(self, folder):
        eyes = {"hidden_size": 24, "num_hidden_layers": 3, "image_size": 28}
        super().__init__(folder, ("[SEG]", "<im_start>", "<im_end>"), eyes)
        self.sam = OfficialSam(self.weights, "model.visual_model.")
        self.seg = self.tokenizer.convert_tokens_to_ids("[SEG]")
        self.ids = self.prompt(SYSTEM, QUESTION)
        seen = self.looked(picture())[-2][1:]
        self.pictured = self.weights.linear("model.mm_projector", seen, WIDTH)

    def logits(self, answer):
        ids = [*self.ids, *answer]
        states = self.states(ids, self.pictured)
        fc = "model.text_hidden_fcs.0"
        states = self.weights.linear(f"{fc}.0", states, WIDTH).relu()
        states = self.weights.linear(f"{fc}.2", states, self.sam.channels)
        prompts = self.told(states, ids, self.seg, len(self.pictured))
        side = self.sam.side
        embedding = self.sam.encode(SAM1.pixels(picture(), side))
        return self.sam.decode(embedding, prompts)

    def masks(self, answer):
        used = SAM1.placement((45, 60), self.sam.side).used_hw
        return self.sam.masks(self.logits(answer), used, (45, 60)) > 0


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    with torch.inference_mode():
        made = OfficialLisa(tmp_path_factory.mktemp("lisa"))
        answer = [
            made.seg,
            *made.tokenizer("and", add_special_tokens=False).input_ids[:1],
            made.seg,
        ]
        made.answer = [*answer, made.tokenizer.eos_token_id]
        made.say(made.ids, made.pictured, made.answer)
        made.logits(made.answer)
    made.save()
    return made


@pytest.fixture(scope="module")
def lisa(official):
    return PublishedLisa.load(str(official.folder), Where("cpu"))


@pytest.fixture
def drawn(monkeypatch):
    """Logits of the masks that are drawn."""
    seen, make = [], Drawn.of
    monkeypatch.setattr(
        Drawn, "of", lambda logits, *more: seen.append(logits) or make(logits, *more)
    )
    return seen


def test_draws_what_the_authors_code_draws(official, lisa, drawn):
    lisa.set_image(picture())
    answer = lisa.answer("the red mug")
    with torch.inference_mode():
        expected, masks = official.logits(official.answer), official.masks(official.answer)
    assert expected.std() > 0.1
    torch.testing.assert_close(drawn[0], expected, rtol=0, atol=1e-4)
    assert len(answer) == 2
    assert answer.scores[0] >= answer.scores[1]
    found = {rle.encode(mask)["counts"] for mask in answer.modal}
    assert found == {rle.encode(mask.numpy())["counts"] for mask in masks}


def test_is_a_segmenter_that_keeps_pictures_and_names_mask_types(lisa):
    assert isinstance(lisa, Segmenter)
    assert isinstance(lisa, PictureKeeper)
    assert isinstance(lisa, MaskTyper)
    other = lisa.with_image(picture(30, 20))
    lisa.set_image(picture())
    assert other.answer("the red mug").masks.size_hw == (30, 20)


def test_one_mask_is_forced_as_in_the_authors_evaluation(official, drawn):
    forced = PublishedLisa.load(str(official.folder), Where("cpu"), forced=True)
    forced.set_image(picture())
    answer = forced.answer("the red mug")
    full_stop = official.tokenizer(".", add_special_tokens=False).input_ids
    with torch.inference_mode():
        expected = official.logits([official.seg, *full_stop])
    torch.testing.assert_close(drawn[0], expected, rtol=0, atol=1e-4)
    assert len(answer) == 1
    assert answer.rationale.startswith("LISA said: [SEG]")


def test_half_precision_draws_nearly_the_same(lisa):
    exact, half = (
        PublishedLisa.load(lisa.model_id, Where("cpu", dtype), forced=True)
        for dtype in ("float32", "bfloat16")
    )
    for segmenter in (exact, half):
        segmenter.set_image(picture())
    masks = [segmenter.answer("the red mug").modal[0] for segmenter in (exact, half)]
    assert (masks[0] == masks[1]).mean() > 0.9


def test_without_the_token_the_answer_is_empty_and_says_why(lisa):
    short = PublishedLisa.load(lisa.model_id, Where("cpu"), most_tokens=1)
    short._marks = {"[SEG]": -1}  # whatever it says, it is not this
    short.set_image(picture())
    answer = short.answer("the red mug")
    assert len(answer) == 0
    assert answer.masks.size_hw == (45, 60)
    assert "it drew no mask" in answer.rationale


def test_an_amodal_mask_needs_a_completer(lisa):
    lisa.set_image(picture())
    amodal = lisa.answer(Query("the whole red mug", mask_type=MaskType.AMODAL))
    assert amodal.mask_type is MaskType.AMODAL
    assert "draws visible masks only" in amodal.rationale
    assert np.array_equal(amodal.masks.dense(), amodal.modal.dense())
    hidden = lisa.answer(Query("its hidden part", mask_type=MaskType.HIDDEN))
    assert len(hidden) == 0
    assert "draws visible masks only" in hidden.rationale


def test_a_completer_makes_the_other_types(lisa):
    completed = PublishedLisa.load(lisa.model_id, Where("cpu"), completer="convex-hull")
    completed.set_image(picture())
    hidden = completed.answer(Query("its hidden part", mask_type=MaskType.HIDDEN))
    modal, amodal = hidden.modal.dense(), hidden.amodal.dense()
    assert (amodal >= modal).all()
    assert np.array_equal(hidden.masks.dense(), amodal & ~modal)
    assert hidden.masks.areas.sum() > 0
    assert "visible masks only" not in hidden.rationale


def test_references_are_not_looked_at_and_it_says_so(lisa):
    lisa.set_image(picture())
    reference = Masks.from_dense(np.ones((1, 45, 60), bool))
    assert "not looked at" in lisa.answer(Query("like [1]", reference)).unsure
    assert lisa.answer("the red mug").unsure is None


def test_a_question_is_asked_as_it_is(lisa, monkeypatch):
    heard = []
    speak = lisa._llava.speak
    monkeypatch.setattr(
        lisa._llava, "speak", lambda pieces, **how: heard.append(pieces) or speak(pieces, **how)
    )
    lisa.set_image(picture())
    lisa.answer("What do I drink from?")
    assert heard[0][0] == f"{SYSTEM} <im_start>"
    assert heard[0][2] == (
        "<im_end>\nWhat do I drink from? Please output segmentation mask. ASSISTANT:"
    )


def test_no_picture(lisa):
    fresh = PublishedLisa.load(lisa.model_id, Where("cpu"))
    with pytest.raises(QueryError, match="no picture is set"):
        fresh.answer("the red mug")


def test_an_unknown_conversation(lisa):
    with pytest.raises(ConfigError, match="expected one of llava_v1, llava_llama_2"):
        PublishedLisa.load(lisa.model_id, Where("cpu"), conversation="vicuna")


def test_a_tokenizer_without_the_token(official, tmp_path):
    shutil.copytree(official.folder, tmp_path / "copy")
    path = tmp_path / "copy" / "tokenizer.json"
    path.write_text(path.read_text().replace("[SEG]", "[GES]"))
    config = tmp_path / "copy" / "tokenizer_config.json"
    config.write_text(config.read_text().replace("[SEG]", "[GES]"))
    with pytest.raises(WeightsError, match=r"no token \[SEG\]"):
        PublishedLisa.load(str(tmp_path / "copy"), Where("cpu"))


def test_another_kind_of_checkpoint(official, tmp_path):
    shutil.copytree(official.folder, tmp_path / "copy")
    (tmp_path / "copy" / "model.safetensors.index.json").unlink()
    save_file({"lm_head.weight": torch.zeros(2, 2)}, tmp_path / "copy" / "model.safetensors")
    with pytest.raises(WeightsError, match="it is of another kind"):
        PublishedLisa.load(str(tmp_path / "copy"), Where("cpu"))
