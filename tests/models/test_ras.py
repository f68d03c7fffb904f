"""RAS learns, and it is its candidate tokens, fed again after the text, that do it."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

import torch
import toy_asked as toy

from askmask.models.ras import Ras, candidate_labels
from askmask.models.system import Asked, Pictures, Truth, chosen_slots

PICTURES, ASKED, TRUTH, _ = toy.lesson(8)  # 32 sentences
WANTED = candidate_labels(PICTURES.pool[ASKED.picture], PICTURES.pooled[ASKED.picture], TRUTH)


def trained(steps: int = 120, **options: Any) -> Ras:
    torch.manual_seed(0)
    net = Ras.named("tiny", grid_hw=(3, 4), **options)
    toy.learn(net, PICTURES, ASKED, TRUTH, steps)
    return net


@torch.no_grad()
def right(net: Ras) -> float:
    """Share of sentences whose group is exactly right."""
    chosen = chosen_slots(net.reply(net.see(PICTURES), ASKED))
    return float((chosen == WANTED).all(1).float().mean())


@pytest.fixture(scope="module")
def net() -> Ras:
    return trained()


def test_labels_are_the_candidates_of_targets() -> None:
    assert WANTED.sum(1).tolist() == [1, 1, 0, 1] * 8
    none = PICTURES.pooled[ASKED.picture] & False
    assert not candidate_labels(PICTURES.pool[ASKED.picture], none, TRUTH).any()


@pytest.mark.parametrize("options", [{}, {"autoregressive": True}, {"prefixes": False}])
@torch.no_grad()
def test_a_batch_gets_a_slot_for_each_candidate(options: dict[str, bool]) -> None:
    net = Ras.named("tiny", **options).eval()
    reply = net.reply(net.see(PICTURES), ASKED)
    assert reply.masks.shape == (32, 4, *toy.SIZE.masks_hw)
    assert reply.scores.shape == (32, 4)
    assert reply.scores.isfinite().all()
    assert reply.types.shape == (32, 3)
    for part in net.loss(net.see(PICTURES), ASKED, TRUTH).values():
        assert part.isfinite()


@torch.no_grad()
def test_it_overfits_32_samples(net: Ras) -> None:
    assert right(net) > 0.9
    reply = net.reply(net.see(PICTURES), ASKED)
    assert (reply.types.argmax(1) == TRUTH.types).float().mean() > 0.95
    masks = ((reply.masks > 0) & chosen_slots(reply)[..., None, None]).any(1)
    assert toy.iou(masks, TRUTH.union.bool()).mean() > 0.9


def test_the_autoregressive_variant_learns_too() -> None:
    assert right(trained(autoregressive=True)) > 0.85


def test_before_the_text_candidates_cannot_be_judged() -> None:
    """The ablation of feeding again: a causal model has not seen the sentence yet."""
    blind = trained(60, feed_again=False)
    assert right(blind) < 0.6
    with torch.no_grad():
        reply = blind.reply(blind.see(PICTURES), toy.some(ASKED, [0, 1, 2, 3]))
    assert torch.allclose(reply.scores, reply.scores[:1].expand(4, -1), atol=1e-5)


def test_the_answer_follows_the_reference_mask() -> None:
    """The same sentence with each candidate as [1]: only the reference token tells which."""
    every = [
        toy.some(ASKED, torch.arange(3, 32, 4))._replace(references=them[:, None])
        for them in PICTURES.pool[:, :, 0].unbind(1)
    ]
    asked = Asked(*(torch.cat(parts) for parts in zip(*every, strict=True)))
    truth = Truth(
        asked.references, asked.references, torch.ones(32, 1).bool(), torch.zeros(32).long()
    )
    torch.manual_seed(0)
    net = Ras.named("tiny", grid_hw=(3, 4))
    toy.learn(net, PICTURES, asked, truth, 300)
    wanted = torch.arange(4).repeat_interleave(8)
    with torch.no_grad():
        seen = net.see(PICTURES)
        told = net.reply(seen, asked).scores.argmax(1)
        blind = net.reply(seen, asked._replace(references=asked.references & False))
    assert (told == wanted).float().mean() > 0.8
    assert (blind.scores.argmax(1) == wanted).float().mean() < 0.4


@torch.no_grad()
def test_references_stand_where_the_sentence_says(net: Ras) -> None:
    one = toy.some(ASKED, [3])
    words, _ = net.trunk.reader(one.words, one.valid, one.forced)
    text, valid = net._with_references(net.see(PICTURES), one, words)
    assert valid.sum() == one.valid.sum() + 2
    assert torch.equal(text[0, 2], net.reference_prefix)
    assert torch.equal(text[0, :2], words[0, :2])
    # A sentence without one gets nothing more, and what is padded comes last.
    other = toy.some(ASKED, [0])
    words, _ = net.trunk.reader(other.words, other.valid, other.forced)
    _, valid = net._with_references(net.see(PICTURES), other, words)
    assert valid[0].tolist() == [True] * 2 + [False] * (valid.shape[1] - 2)


@torch.no_grad()
def test_prefixes_tell_candidates_from_references(net: Ras) -> None:
    """The same mask is another token behind another prefix."""
    seen = net.see(PICTURES)
    before = net.reply(seen, ASKED).scores
    kept = net.reference_prefix.clone()
    net.reference_prefix.copy_(net.pool_prefix)
    after = net.reply(seen, ASKED).scores
    net.reference_prefix.copy_(kept)
    pointing = ASKED.spots[:, 0] >= 0
    assert torch.allclose(before[~pointing], after[~pointing], atol=1e-4)
    assert not torch.allclose(before[pointing], after[pointing], atol=1e-2)


@torch.no_grad()
def test_forcing_a_type_keeps_the_slots_and_changes_the_masks(net: Ras) -> None:
    seen = net.see(PICTURES)
    modal, amodal, hidden = (
        net.reply(seen, ASKED._replace(forced=torch.full((32,), forced))).masks > 0
        for forced in (1, 2, 3)
    )
    assert torch.equal(hidden, amodal & ~modal)
    assert torch.equal(modal, PICTURES.pool[ASKED.picture][:, :, 0])


@pytest.mark.parametrize("autoregressive", [False, True])
@torch.no_grad()
def test_padded_candidates_change_nothing(autoregressive: bool) -> None:
    net = Ras.named("tiny", autoregressive=autoregressive).eval()
    more = torch.rand(8, 2, 2, *toy.SIZE.masks_hw) > 0.5
    padded = Pictures(
        PICTURES.images,
        torch.cat([PICTURES.pool, more], 1),
        torch.cat([PICTURES.pooled, torch.zeros(8, 2, dtype=torch.bool)], 1),
    )
    before, after = (net.reply(net.see(each), ASKED) for each in (PICTURES, padded))
    assert torch.allclose(after.scores[:, :4], before.scores, atol=1e-4)
    assert (after.scores[:, 4:] == -torch.inf).all()
    assert torch.allclose(after.none, before.none, atol=1e-4)


@pytest.mark.parametrize("autoregressive", [False, True])
@torch.no_grad()
def test_a_picture_without_candidates_holds_nothing_that_fits(autoregressive: bool) -> None:
    net = Ras.named("tiny", autoregressive=autoregressive).eval()
    nothing = PICTURES._replace(pooled=PICTURES.pooled & False)
    reply = net.reply(net.see(nothing), ASKED)
    assert (reply.none > 0).all()
    assert not chosen_slots(reply).any()
