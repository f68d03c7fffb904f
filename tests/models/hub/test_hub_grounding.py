"""Proposers that look for words: with a vocabulary, for sentences, and inside a pipeline."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import tiny_proposers as tiny
import torch

from askmask.models.hub.concepts import Sam3Concepts
from askmask.models.hub.grounding import GroundingDino, Owlv2
from askmask.models.hub.loading import Where
from askmask.models.hub.preprocessing import SAM3
from askmask.models.pipeline import Pipeline
from askmask.models.segmenter import TextProposer
from askmask.types import Answer, Candidates, Masks, MaskType

CPU = Where("cpu")
IMAGE = tiny.picture()


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("grounding")
    names = ("sam1", "sam2", "sam3", "grounding_dino", "owlv2")
    return {name: getattr(tiny, name)(root / name) for name in names}


@pytest.fixture(scope="module", params=["grounding_dino", "owlv2", "sam3"])
def load(request, folders):
    """Load one of the three with options."""
    cls = {"grounding_dino": GroundingDino, "owlv2": Owlv2, "sam3": Sam3Concepts}[request.param]
    settings = {} if request.param == "sam3" else {"sam": folders["sam2"]}
    return partial(cls.load, folders[request.param], CPU, least_score=0.0, **settings)


@pytest.fixture(scope="module")
def proposer(load):
    """One of the three that is asked for each sentence, and is sure of everything."""
    return load()


def test_finds_what_a_sentence_names(proposer):
    assert isinstance(proposer, TextProposer)
    assert proposer.needs_text
    assert len(proposer.propose(IMAGE)) == 0
    found = proposer.propose_for(IMAGE, "segment the red mug behind the box")
    assert len(found) > 0
    assert found.modal.size_hw == IMAGE.shape[:2]
    assert (np.diff(found.score) <= 0).all()
    assert 0 <= found.score.min() <= found.score.max() <= 1
    other = proposer.propose_for(IMAGE, "the green cup")
    assert other.score.tolist() != found.score.tolist()
    assert found.score.tolist() == proposer.find(IMAGE, ("red mug", "box")).score.tolist()


def test_looks_for_a_vocabulary_before_any_sentence(load, proposer):
    knowing = load(vocabulary=["red mug", "box"])
    assert not knowing.needs_text
    found = knowing.propose(IMAGE)
    assert len(found) > 0
    assert found.score.tolist() == proposer.find(IMAGE, ["red mug", "box"]).score.tolist()


def test_finds_nothing_where_nothing_is_sure(proposer, monkeypatch):
    monkeypatch.setattr(proposer, "_least_score", 1.1)
    found = proposer.propose_for(IMAGE, "the red mug")
    assert len(found) == 0
    assert found.modal.size_hw == IMAGE.shape[:2]


class Selecting:
    """Notes how many candidates each sentence has."""

    def __init__(self):
        self.seen = []

    def select(self, image, candidates, query):
        self.seen.append((query.text, len(candidates)))
        shares = {MaskType.MODAL: 1.0, MaskType.AMODAL: 0.0, MaskType.HIDDEN: 0.0}
        some = candidates.modal[:0]
        return Answer(MaskType.MODAL, shares, some, candidates.score[:0], some, some)


class Wordy:
    """Finds as many candidates as a sentence has words."""

    def __init__(self, needs_text):
        self.needs_text = needs_text

    def propose(self, image):
        return self._some(0 if self.needs_text else 3)

    def propose_for(self, image, text):
        return self._some(len(text.split()))

    def _some(self, count):
        masks = Masks.from_dense(np.ones((count, 4, 4), bool))
        return Candidates(masks, masks, np.ones(count, np.float32))


class Hiding:
    """Completes by marking what it was asked to complete."""

    def __init__(self):
        self.completed = []

    def complete(self, image, candidates):
        self.completed.append(len(candidates))
        return candidates


def test_a_pipeline_asks_again_for_each_sentence():
    selecting, hiding = Selecting(), Hiding()
    pipeline = Pipeline(Wordy(needs_text=True), hiding, selecting)
    pipeline.set_image(np.zeros((4, 4, 3), np.uint8))
    assert len(pipeline.candidates) == 0
    assert pipeline.mask_at(1, 1) is None
    assert pipeline.answer("the red mug").seconds is not None
    pipeline.answer("mugs")
    assert selecting.seen == [("the red mug", 3), ("mugs", 1)]
    assert hiding.completed == [0, 3, 1]
    assert len(pipeline.candidates) == 1
    assert pipeline.mask_at(1, 1).all()


def test_a_pipeline_asks_once_where_there_is_a_vocabulary():
    selecting, hiding = Selecting(), Hiding()
    pipeline = Pipeline(Wordy(needs_text=False), hiding, selecting)
    pipeline.set_image(np.zeros((4, 4, 3), np.uint8))
    pipeline.answer("the red mug")
    pipeline.answer("mugs")
    assert [count for _, count in selecting.seen] == [3, 3]
    assert hiding.completed == [3]


def test_the_whole_of_it_in_a_pipeline(proposer):
    selecting = Selecting()
    pipeline = Pipeline(proposer, None, selecting)
    pipeline.set_image(IMAGE)
    pipeline.answer("the red mug behind the box")
    assert selecting.seen[0][1] == len(pipeline.candidates) > 0


def drawn(proposer, boxes, logits, monkeypatch):
    """Let the detector of a proposer answer with these boxes, as shares of its frame."""
    model = proposer._model

    def answer(**inputs):
        answer.inputs = inputs
        return SimpleNamespace(logits=torch.tensor([logits]), pred_boxes=torch.tensor([boxes]))

    answer.config = model.config
    monkeypatch.setattr(proposer, "_model", answer)
    refined = []
    refine = proposer._sam.refine
    monkeypatch.setattr(
        proposer._sam,
        "refine",
        lambda image, boxes: refined.append(boxes) or refine(image, boxes=boxes),
    )
    return answer, refined


def test_boxes_of_grounding_dino_are_shares_of_the_picture(folders, monkeypatch):
    proposer = GroundingDino.load(folders["grounding_dino"], CPU, sam=folders["sam1"])
    boxes = [
        [0.5, 0.5, 0.5, 0.5],
        [0.51, 0.5, 0.5, 0.5],
        [0.1, 0.1, 0.2, 0.2],
        [0.9, 0.9, 0.2, 0.2],
    ]
    logits = [[2.0, -9.0], [3.0, -9.0], [-9.0, 1.0], [-3.0, -3.0]]
    answer, refined = drawn(proposer, boxes, logits, monkeypatch)
    found = proposer.find(IMAGE, ["Red mug", "green. cup"])
    # The second suppresses the first, the last is unsure.
    assert refined[0] == pytest.approx(
        np.array([[15.6, 11.25, 45.6, 33.75], [0, 0, 12, 9]]), abs=1e-3
    )
    assert found.score == pytest.approx(torch.tensor([3.0, 1.0]).sigmoid().numpy())
    words = proposer._tokenizer.convert_ids_to_tokens(answer.inputs["input_ids"][0])
    assert words == ["[CLS]", "red", "mug", ".", "green", "cup", ".", "[SEP]"]
    assert answer.inputs["pixel_mask"].all()


def test_boxes_of_owlv2_are_shares_of_a_square(folders, monkeypatch):
    proposer = Owlv2.load(folders["owlv2"], CPU, sam=folders["sam1"])
    answer, refined = drawn(
        proposer,
        [[0.5, 0.5, 0.5, 0.9], [0.1, 0.1, 0.2, 0.2]],
        [[-1.0, 2.0], [0.0, -3.0]],
        monkeypatch,
    )
    found = proposer.find(IMAGE, ["red mug", "cup"])
    assert refined[0] == pytest.approx(np.array([[15, 3, 45, 45], [0, 0, 12, 12]]), abs=1e-3)
    assert found.score == pytest.approx(torch.tensor([2.0, 0.0]).sigmoid().numpy())
    assert answer.inputs["input_ids"].shape == (2, 16)
    words = proposer._tokenizer.convert_ids_to_tokens(answer.inputs["input_ids"][0][:8])
    assert words == ["<start>", "a", "photo", "of", "a", "red", "mug", "<end>"]
    assert (answer.inputs["input_ids"][:, 0] > 0).all()  # 0 would mean that there is no phrase


def test_sam3_encodes_a_picture_once(folders, monkeypatch):
    proposer = Sam3Concepts.load(folders["sam3"], CPU, least_score=0.0)
    calls = []
    encode = proposer._model.get_vision_features
    monkeypatch.setattr(
        proposer._model, "get_vision_features", lambda pixels: calls.append(1) or encode(pixels)
    )
    first = proposer.propose_for(IMAGE, "the red mug behind the box")
    assert proposer.propose_for(IMAGE, "the red mug behind the box").modal.rles == first.modal.rles
    assert len(calls) == 1


def test_sam3_equals_the_model_run_directly(folders):
    """Also with the picture encoded apart from the phrase."""
    proposer = Sam3Concepts.load(folders["sam3"], CPU, least_score=0.0)
    words = proposer._tokenizer("red mug", return_tensors="pt", padding="max_length", max_length=32)
    with torch.no_grad():
        direct = proposer._model(
            pixel_values=SAM3.pixels(IMAGE, tiny.SIDE),
            input_ids=words["input_ids"],
            attention_mask=words["attention_mask"],
        )
    score = direct.pred_logits[0].sigmoid() * direct.presence_logits[0].sigmoid()
    logits, found = proposer._masks(proposer._seen(IMAGE), "red mug")
    assert torch.allclose(found, score, atol=1e-5)
    assert torch.allclose(logits, direct.pred_masks[0], atol=1e-4)
