"""ReLA learns, and it is its regions and relations that do it."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

import torch
import toy_asked as toy

from askmask.models.rela import Rela
from askmask.models.system import Pictures, chosen_slots

PICTURES, ASKED, TRUTH, _ = toy.lesson(11)
# Without the sentences about a reference mask, for which ReLA has no input.
ROWS = [row for row in range(44) if row % 4 != 3][:32]
ASKED, TRUTH = toy.some(ASKED, ROWS), toy.some(TRUTH, ROWS)


def trained(steps: int = 150, **options: Any) -> tuple[Rela, dict[str, float]]:
    torch.manual_seed(0)
    net = Rela.named("tiny", grid=4, **options)
    return net, toy.learn(net, PICTURES, ASKED, TRUTH, steps)


@pytest.fixture(scope="module")
def net() -> Rela:
    """Told more firmly where regions belong, which 150 steps would else just begin to teach."""
    return trained(minimap_weight=3.0)[0]


@torch.no_grad()
def test_a_batch_gets_one_fused_mask_a_sentence() -> None:
    net = Rela.named("tiny").eval()
    reply = net.reply(net.see(PICTURES), ASKED)
    assert reply.masks.shape == (32, 1, *toy.SIZE.masks_hw)
    assert reply.scores.shape == (32, 1)
    assert reply.none.shape == (32,)
    assert reply.types.shape == (32, 3)
    assert torch.equal(chosen_slots(reply)[:, 0], reply.none <= 0)


@torch.no_grad()
def test_it_overfits_32_samples(net: Rela) -> None:
    reply = net.reply(net.see(PICTURES), ASKED)
    targeted = TRUTH.none == 0
    found = toy.iou(reply.masks[:, 0] > 0, TRUTH.union.bool())
    assert found[targeted].mean() > 0.8
    assert ((reply.none > 0) == ~targeted).float().mean() > 0.9
    assert (reply.types.argmax(1) == TRUTH.types).float().mean() > 0.95


@torch.no_grad()
def test_regions_lie_where_the_minimap_puts_them(net: Rela) -> None:
    """Regions are tied to their patches by supervision alone: votes follow the target's place."""
    judged = net.judge(net.see(PICTURES), ASKED)
    minimap = torch.nn.functional.adaptive_avg_pool2d(TRUTH.union, 4).flatten(1)
    targeted = TRUTH.none == 0
    votes = judged.votes.sigmoid()[targeted]
    at = votes[minimap[targeted] > 0.3].mean()
    off = votes[minimap[targeted] == 0].mean()
    assert at > 2.5 * off


@torch.no_grad()
def test_a_vote_weighs_the_mask_of_its_region(net: Rela) -> None:
    """Equation (1): without votes, nothing is inside."""
    seen = net.see(PICTURES)
    before = net.judge(seen, ASKED).mask
    bias = net.vote.bias.clone()
    net.vote.bias -= 100
    silent = net.judge(seen, ASKED).mask
    net.vote.bias.copy_(bias)
    assert (before > 0).any()
    assert torch.allclose(silent, net.outside.expand_as(silent))


def test_relations_bring_the_words() -> None:
    """Where words meet pixels only through the regions, the ablation cannot tell sentences apart.

    The loss on votes is that of the minimap, which the ablation can only average.
    """
    _, with_words = trained(100, early_words=False)
    blind, without = trained(100, early_words=False, relations=False)
    assert with_words["minimap"] + with_words["none"] < 0.8 * (without["minimap"] + without["none"])
    with torch.no_grad():
        judged = blind.judge(blind.see(PICTURES), toy.some(ASKED, [0, 1, 2]))
    assert torch.allclose(judged.votes[0], judged.votes[1], atol=1e-5)


@torch.no_grad()
def test_a_hard_split_keeps_regions_in_their_patches() -> None:
    """The ablation of region-image cross-attention: what is far away does not reach a region."""
    for dynamic in (True, False):
        net = Rela.named("tiny", grid=2, dynamic=dynamic).eval()
        view = torch.randn(1, toy.SIZE.pyramid, 6, 8)
        changed = view.clone()
        changed[..., 3:, 4:] += 1
        moved = (net.collect(view) - net.collect(changed)).abs().amax((0, 2)) > 1e-4
        assert moved.tolist() == ([True] * 4 if dynamic else [False, False, False, True])


@torch.no_grad()
def test_a_sentence_alone_gets_the_same_answer(net: Rela) -> None:
    """Padding, and other sentences, change nothing; a short sentence is cut to its own length."""
    whole = net.reply(net.see(PICTURES), ASKED)
    pictures = Pictures(*(part[:1] for part in PICTURES))
    one = toy.some(ASKED, [0])
    alone = one._replace(words=one.words[:, :2], valid=one.valid[:, :2])
    reply = net.reply(net.see(pictures), alone)
    for ours, theirs in zip(reply, whole, strict=True):
        assert torch.allclose(ours[0], theirs[0], atol=1e-4)


def test_forcing_a_type_is_no_lesson_about_types() -> None:
    net = Rela.named("tiny")
    forced = ASKED._replace(forced=torch.ones_like(ASKED.forced))
    assert net.loss(net.see(PICTURES), forced, TRUTH)["type"] == 0
