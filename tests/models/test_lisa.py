"""LISA learns, and it is the hidden state of its [SEG] token that says what is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

pytest.importorskip("torch")

import torch
import toy_asked as toy
from torch import Tensor

from askmask.models.lisa import Lisa
from askmask.models.system import Pictures, chosen_slots

PICTURES, ASKED, TRUTH, _ = toy.lesson(11)
# Without the sentences about a reference mask, for which LISA has no input.
ROWS = [row for row in range(44) if row % 4 != 3][:32]
ASKED, TRUTH = toy.some(ASKED, ROWS), toy.some(TRUTH, ROWS)
TARGETED = TRUTH.none == 0


@pytest.fixture(scope="module")
def net() -> Lisa:
    torch.manual_seed(0)
    net = Lisa.named("tiny", grid_hw=(3, 4))
    toy.learn(net, PICTURES, ASKED, TRUTH, 220)
    return net


def found(net: Lisa) -> float:
    """Mean IoU of the masks that are drawn for sentences with targets."""
    masks = net.reply(net.see(PICTURES), ASKED).masks[:, 0] > 0
    return float(toy.iou(masks, TRUTH.union.bool())[TARGETED].mean())


@torch.no_grad()
def test_it_overfits_32_samples(net: Lisa) -> None:
    reply = net.reply(net.see(PICTURES), ASKED)
    assert found(net) > 0.8
    assert ((reply.none > 0) == ~TARGETED).float().mean() > 0.9
    assert (reply.types.argmax(1) == TRUTH.types).float().mean() > 0.95


@torch.no_grad()
def test_answers_are_the_sentences_that_were_taught(net: Lisa) -> None:
    heard, _ = net._hear(net.see(PICTURES), ASKED)
    answers, _ = net.speaker.speak(heard, 4)
    said = [" ".join(net.speaker.vocabulary[word] for word in answer) for answer in answers]
    taught = {False: "it is absent <end>", True: "it is [SEG] <end>"}
    right = [one == taught[bool(there)] for one, there in zip(said, TARGETED, strict=True)]
    assert sum(right) > 0.9 * len(right)


@contextmanager
def states_as(net: Lisa, change: object) -> Iterator[None]:
    """Let `change` stand between the hidden states of [SEG] and their projection."""
    hook = net.project.register_forward_pre_hook(lambda _, given: (change(given[0]),))  # type: ignore[operator]
    yield
    hook.remove()


@torch.no_grad()
def test_the_state_of_seg_says_what_is_drawn(net: Lisa) -> None:
    """The ablation: without the state, or with that of another sentence, the mask is wrong.

    Half is what a decoder gets that knows the pictures, each with two targets, by heart.
    """
    before = found(net)
    with states_as(net, torch.zeros_like):
        assert found(net) < 0.6 * before
    with states_as(net, lambda states: states.roll(1, 0)):
        assert found(net) < 0.6 * before
    assert found(net) == before


@torch.no_grad()
def test_without_seg_nothing_is_answered(net: Lisa) -> None:
    seen = net.see(PICTURES)
    assert net.figures(seen, ASKED, TRUTH)["missing"].shape == (int(TARGETED.sum()),)
    assert net.figures(seen, ASKED, TRUTH)["missing"].mean() < 0.1
    kept = net.speaker.head.bias.clone()
    net.speaker.head.bias[net._seg] -= 100
    silent = net.reply(seen, ASKED)
    assert not chosen_slots(silent).any()
    assert (silent.scores == -torch.inf).all()
    assert (silent.none > 0).all()
    assert net.figures(seen, ASKED, TRUTH)["missing"].mean() == 1
    # The mask is drawn all the same, for the other mask types of the same thing.
    assert toy.iou(silent.masks[:, 0] > 0, TRUTH.union.bool())[TARGETED].mean() > 0.5
    net.speaker.head.bias.copy_(kept)


@torch.no_grad()
def test_a_batch_gets_one_fused_mask_a_sentence(net: Lisa) -> None:
    reply = net.reply(net.see(PICTURES), ASKED)
    assert reply.masks.shape == (32, 1, *toy.SIZE.masks_hw)
    assert reply.scores.shape == (32, 1)
    assert torch.equal(chosen_slots(reply)[:, 0], reply.none <= 0)
    assert torch.equal(reply.none <= 0, reply.scores[:, 0] > 0)


@torch.no_grad()
def test_a_sentence_alone_gets_the_same_answer(net: Lisa) -> None:
    """Padding, and other sentences, change nothing; a short sentence is cut to its own length."""
    whole = net.reply(net.see(PICTURES), ASKED)
    one = toy.some(ASKED, [0])
    alone = one._replace(words=one.words[:, :2], valid=one.valid[:, :2])
    reply = net.reply(net.see(Pictures(*(part[:1] for part in PICTURES))), alone)
    for ours, theirs in zip(reply, whole, strict=True):
        assert torch.allclose(ours[0], theirs[0], atol=1e-4)


def test_masks_are_learnt_where_there_are_targets_only() -> None:
    torch.manual_seed(0)
    net = Lisa.named("tiny")

    def parts(truth: Tensor) -> dict[str, Tensor]:
        return net.loss(net.see(PICTURES), ASKED, TRUTH._replace(counted=truth))

    nothing = parts(TRUTH.counted & False)
    assert nothing["bce"] == nothing["dice"] == 0
    assert nothing["text"] > 0
    assert parts(TRUTH.counted)["bce"] > 0
