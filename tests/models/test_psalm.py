"""PSALM learns, and it is its mask tokens and its condition's embedding that do it."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

import torch
import toy_asked as toy

from askmask.models.psalm import Psalm
from askmask.models.system import Pictures, chosen_slots

PICTURES, ASKED, TRUTH, _ = toy.lesson(8)  # 32 sentences
TARGETED = TRUTH.none == 0
# The first two sentences about each picture ask for different things in it.
PAIRS = torch.arange(32).view(8, 4)[:, :2].flatten()
OTHERS = torch.arange(32).view(8, 4)[:, [1, 0]].flatten()


def trained(steps: int, **options: Any) -> Psalm:
    torch.manual_seed(0)
    net = Psalm.named("tiny", grid_hw=(3, 4), queries=6, decoder_layers=1, **options)
    toy.learn(net, PICTURES, ASKED, TRUTH, steps, rate=6e-3)
    return net


@torch.no_grad()
def fused_iou(net: Psalm, asked: Any = ASKED) -> torch.Tensor:
    """IoU of each sentence's fused answer."""
    reply = net.reply(net.see(PICTURES), asked)
    fused = ((reply.masks > 0) & chosen_slots(reply)[..., None, None]).any(1)
    return toy.iou(fused, TRUTH.union.bool())


@pytest.fixture(scope="module")
def net() -> Psalm:
    return trained(150)


@torch.no_grad()
def test_a_batch_gets_a_slot_for_each_mask_token() -> None:
    for options in ({}, {"decoder_layers": 0}, {"condition_first": False}):
        net = Psalm.named("tiny", queries=5, **options).eval()
        reply = net.reply(net.see(PICTURES), ASKED)
        assert reply.masks.shape == (32, 5, *toy.SIZE.masks_hw)
        assert reply.scores.shape == (32, 5)
        assert reply.scores.isfinite().all()
        assert reply.types.shape == (32, 3)
        for part in net.loss(net.see(PICTURES), ASKED, TRUTH).values():
            assert part.isfinite()


@torch.no_grad()
def test_it_overfits_32_samples(net: Psalm) -> None:
    reply = net.reply(net.see(PICTURES), ASKED)
    assert fused_iou(net)[TARGETED].mean() > 0.8
    assert ((reply.none > 0) == ~TARGETED).float().mean() > 0.8
    assert (reply.types.argmax(1) == TRUTH.types).float().mean() > 0.95
    best = reply.masks[torch.arange(32), reply.scores.argmax(1)] > 0
    assert toy.iou(best, TRUTH.union.bool())[TARGETED].mean() > 0.9


@torch.no_grad()
def test_another_condition_picks_another_proposal(net: Psalm) -> None:
    """The same proposals, judged by the embedding of what the other sentence asks for."""
    seen = net.see(PICTURES)
    read = net.read(seen, ASKED)
    proposals = net.propose(seen, ASKED, read)[-1]
    own = net.fit(proposals.tokens, read.condition)[PAIRS]
    swapped = net.fit(proposals.tokens[PAIRS], read.condition[OTHERS])
    winner = own.argmax(1, keepdim=True)
    assert (swapped.argmax(1) != winner[:, 0]).float().mean() > 0.5
    assert own.gather(1, winner).mean() > 0
    assert swapped.gather(1, winner).mean() < 0


def test_before_the_condition_tokens_know_the_picture_alone() -> None:
    """The ablation of the order: proposals are the same for all, the condition alone picks."""
    net = trained(100, condition_first=False)
    with torch.no_grad():
        seen = net.see(PICTURES)
        read = net.read(seen, ASKED)
        proposals = net.propose(seen, ASKED, read)[-1]
        own = net.fit(proposals.tokens, read.condition)
        swapped = net.fit(proposals.tokens[PAIRS], read.condition[OTHERS])
    assert torch.allclose(proposals.masks[PAIRS], proposals.masks[OTHERS], atol=1e-4)
    assert torch.allclose(swapped, own[OTHERS], atol=1e-4)
    assert (swapped.argmax(1) != own[PAIRS].argmax(1)).float().mean() > 0.5
    assert fused_iou(net)[TARGETED].mean() > 0.6


@torch.no_grad()
def test_regions_are_part_of_the_condition(net: Psalm) -> None:
    """Sentences that say nothing but "like [1]" are answered by the region alone."""
    pointing = ASKED.spots[:, 0] >= 0
    blind = ASKED._replace(references=ASKED.references & False)
    told, not_told = (fused_iou(net, asked)[pointing].mean() for asked in (ASKED, blind))
    assert told > not_told + 0.3
    other = toy.some(ASKED, ~pointing)
    kept = net.reply(net.see(PICTURES), other._replace(references=~other.references))
    assert torch.allclose(kept.scores, net.reply(net.see(PICTURES), other).scores, atol=1e-4)


@torch.no_grad()
def test_a_score_is_the_class_times_the_certainty_of_the_mask() -> None:
    net = Psalm.named("tiny", threshold=0.5)
    masks = torch.full((1, 3, 2, 2), -9.0)
    masks[0, 0, 0], masks[0, 1, 0] = 9.0, 0.1  # sure, unsure, empty
    fits = torch.full((1, 3), 2.0)
    sure, unsure, empty = net._scores(masks, fits)[0].sigmoid().tolist()
    assert sure == pytest.approx(0.88, abs=0.01)
    assert unsure == pytest.approx(0.88 * 0.525, abs=0.01)
    assert empty < 0.001


@torch.no_grad()
def test_without_a_proposal_above_the_threshold_nothing_fits(net: Psalm) -> None:
    strict = Psalm.named("tiny", **{**net.options(), "threshold": 0.9999}).eval()
    strict.load_state_dict(net.state_dict())
    reply = strict.reply(strict.see(PICTURES), ASKED)
    assert (reply.none > 0).all()
    assert not chosen_slots(reply).any()


@torch.no_grad()
def test_forcing_a_type_keeps_the_slots(net: Psalm) -> None:
    seen = net.see(PICTURES)
    modal, amodal = (
        net.reply(seen, ASKED._replace(forced=torch.full((32,), forced))).scores.argmax(1)
        for forced in (1, 2)
    )
    assert (modal == amodal)[TARGETED].float().mean() > 0.8


@torch.no_grad()
def test_a_sentence_alone_gets_the_same_answer(net: Psalm) -> None:
    """Padding, and other sentences, change nothing; a short sentence is cut to its own length."""
    whole = net.reply(net.see(PICTURES), ASKED)
    pictures = Pictures(*(part[:1] for part in PICTURES))
    one = toy.some(ASKED, [0])
    alone = one._replace(
        words=one.words[:, :2],
        valid=one.valid[:, :2],
        references=one.references[:, :0],
        spots=one.spots[:, :0],
    )
    reply = net.reply(net.see(pictures), alone)
    for ours, theirs in zip(reply, whole, strict=True):
        assert torch.allclose(ours[0], theirs[0], atol=1e-3)
