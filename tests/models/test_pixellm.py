"""PixelLM learns, and it is the tokens of its codebook, scale by scale, that say what is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

pytest.importorskip("torch")

import torch
import toy_asked as toy
from torch import Tensor

from askmask.errors import ConfigError
from askmask.models.listing import Listing, left_to_right
from askmask.models.pixellm import Pixellm, refinement_weights
from askmask.models.system import Asked, Pictures, Truth, chosen_slots


def samples() -> tuple[Pictures, Asked, Truth]:
    """32 sentences; instead of the one about a reference mask, one asks for all three things."""
    pictures, asked, truth, _ = toy.lesson(8)
    masks, modal = (torch.cat([part, part & False, part & False], 1) for part in truth[:2])
    counted = torch.cat([truth.counted, torch.zeros(32, 2, dtype=torch.bool)], 1)
    for row in range(3, 32, 4):
        pool = pictures.pool[row // 4, :, 0]
        things = pool[~pool[:, -1, 4:12].all(1)]  # the wrong one lies at the bottom
        masks[row] = modal[row] = things
        counted[row] = True
    asked = asked._replace(references=asked.references & False, spots=asked.spots * 0 - 1)
    return pictures, asked, left_to_right(Truth(masks, modal, counted, truth.types))


PICTURES, ASKED, TRUTH = samples()
TARGETED = TRUTH.none == 0


def new(**options: float) -> Pixellm:
    torch.manual_seed(0)
    return Pixellm.named("tiny", grid_hw=(3, 4), max_targets=3, **options)


@contextmanager
def codes_as(net: Pixellm, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Let `change` stand between hidden states (B, L, N, width) of the codebook and projection."""
    hook = net.project.register_forward_pre_hook(lambda _, given: (change(given[0]),))
    yield
    hook.remove()


@torch.no_grad()
def found(net: Pixellm) -> float:
    """Mean IoU of the fused masks of sentences with targets."""
    reply = net.reply(net.see(PICTURES), ASKED)
    masks = ((reply.masks > 0) & chosen_slots(reply)[..., None, None]).any(1)
    return float(toy.iou(masks, TRUTH.union.bool())[TARGETED].mean())


def without(where: tuple[slice | int, ...]) -> Callable[[Tensor], Tensor]:
    def change(states: Tensor) -> Tensor:
        states = states.clone()
        states[where] = 0
        return states

    return change


ALL = slice(None)


@pytest.fixture(scope="module")
def net() -> Pixellm:
    net = new()
    toy.learn(net, PICTURES, ASKED, TRUTH, 140)
    return net


@torch.no_grad()
def test_it_overfits_32_samples(net: Pixellm) -> None:
    reply = net.reply(net.see(PICTURES), ASKED)
    assert found(net) > 0.8
    assert ((reply.none > 0) == ~TARGETED).float().mean() > 0.9
    assert (reply.types.argmax(1) == TRUTH.types).float().mean() > 0.95
    figures = net.figures(net.see(PICTURES), ASKED, TRUTH)
    assert figures["missing"].shape == (int(TARGETED.sum()),)
    assert figures["missing"].mean() < 0.1
    assert figures["count"].mean() > 0.9


@torch.no_grad()
def test_each_target_has_a_slot_from_left_to_right(net: Pixellm) -> None:
    reply = net.reply(net.see(PICTURES), ASKED)
    assert reply.masks.shape == (32, 3, *toy.SIZE.masks_hw)
    chosen = chosen_slots(reply)
    right = (chosen == TRUTH.counted).all(1)
    assert right.float().mean() > 0.9
    each = toy.iou(
        (reply.masks > 0)[right][TRUTH.counted[right]], TRUTH.masks[right][chosen[right]]
    )
    assert each.mean() > 0.8
    # What the answer does not name is neither scored nor drawn; only the first slot always is.
    assert (reply.scores[~chosen] == -torch.inf).all()
    assert (reply.masks[:, 1:][~chosen[:, 1:]] < -7).all()


def test_states_of_the_codebook_say_what_is_drawn(net: Pixellm) -> None:
    """The ablation: without the states, those of one scale, or with those of another target."""
    before = found(net)
    for change, most in {
        without((ALL,)): 0.5,
        without((ALL, 0)): 0.8,  # the coarse scale
        without((ALL, 1)): 0.8,  # the fine scale
        lambda states: states.roll(1, 0): 0.5,
    }.items():
        with codes_as(net, change):
            assert found(net) < most * before
    assert found(net) == before


@torch.no_grad()
def test_every_token_of_a_scale_takes_part(net: Pixellm) -> None:
    seen = net.see(PICTURES)
    before = net.reply(seen, ASKED).masks
    for token in range(3):
        with codes_as(net, without((ALL, ALL, token))):
            assert (net.reply(seen, ASKED).masks - before).abs().max() > 1


@torch.no_grad()
def test_masks_of_scales_are_weighed(net: Pixellm) -> None:
    """The fused mask is linear in the weights; the coarse mask alone is a coarse one."""
    seen, kept = net.see(PICTURES), net.decoder.weights.clone()

    def drawn(coarse: float, fine: float) -> Tensor:
        net.decoder.weights.copy_(torch.tensor([coarse, fine]))
        return net.reply(seen, ASKED).masks[:, 0]

    one, other, both = drawn(1, 0), drawn(0, 1), drawn(2, 3)
    net.decoder.weights.copy_(kept)
    assert torch.allclose(both, 2 * one + 3 * other, atol=1e-3)
    assert not torch.allclose(one, other, atol=1)


def test_pixels_that_several_targets_claim_weigh_more() -> None:
    masks = torch.full((2, 3, 2, 2), -1.0)
    masks[0, 0, 0] = masks[0, 1, :, 0] = 1  # both claim the corner
    masks[1, 2] = 1  # one target everywhere
    expected = [[[4.0, 1.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]]
    assert refinement_weights(masks, 4.0).tolist() == expected


def test_target_refinement_counts_overlaps_twice() -> None:
    """Only where masks overlap is there anything to refine."""
    plain, refined = new(overlap=1.0), new(overlap=2.0)
    losses = [net.loss(net.see(PICTURES), ASKED, TRUTH) for net in (plain, refined)]
    assert losses[1]["bce"] > losses[0]["bce"]
    single = toy.some(TRUTH, TARGETED & (TRUTH.counted.sum(1) == 1))
    asked = toy.some(ASKED, TARGETED & (TRUTH.counted.sum(1) == 1))
    losses = [net.loss(net.see(PICTURES), asked, single) for net in (plain, refined)]
    assert torch.allclose(losses[1]["bce"], losses[0]["bce"])


@torch.no_grad()
def test_a_target_is_chosen_without_knowing_the_next(net: Pixellm) -> None:
    """Reading an endless list in one pass is greedy speaking: a state knows what came before."""
    heard, _ = net.hear(net.see(PICTURES), ASKED)
    codes = net.tokens_of(heard, None)
    short, long = (net.speaker.follow(heard, net.listing.endless(codes, most)) for most in (1, 3))
    assert torch.allclose(net.listing.choices(long, 1), net.listing.choices(short, 1), atol=1e-5)
    assert torch.allclose(net.listing.targets(long)[:, :1], net.listing.targets(short), atol=1e-5)


@torch.no_grad()
def test_without_the_first_token_nothing_is_answered(net: Pixellm) -> None:
    seen, kept = net.see(PICTURES), net.speaker.head.bias.clone()
    net.speaker.head.bias[len(Listing.words)] -= 100
    silent = net.reply(seen, ASKED)
    missing = net.figures(seen, ASKED, TRUTH)["missing"]
    net.speaker.head.bias.copy_(kept)
    assert not chosen_slots(silent).any()
    assert (silent.none > 0).all()
    assert missing.mean() == 1


@torch.no_grad()
def test_a_sentence_alone_gets_the_same_answer(net: Pixellm) -> None:
    whole = net.reply(net.see(PICTURES), ASKED)
    one = toy.some(ASKED, [0])
    alone = one._replace(words=one.words[:, :2], valid=one.valid[:, :2])
    reply = net.reply(net.see(Pictures(*(part[:1] for part in PICTURES))), alone)
    for ours, theirs in zip(reply, whole, strict=True):
        assert torch.allclose(ours[0], theirs[0], atol=1e-3)


def test_ablations_have_one_scale_or_one_token() -> None:
    for options in ({"scales": 1}, {"tokens": 1}, {"scales": 1, "tokens": 1}):
        net = new(**options)
        parts = net.loss(net.see(PICTURES), ASKED, TRUTH)
        assert all(part.isfinite() for part in parts.values())
        assert net.speaker.vocabulary[-1] == f"[SEG{net.listing.tokens - 1}]"
    with pytest.raises(ConfigError, match="scales: expected 1 or 2, got 3"):
        new(scales=3)


def test_further_targets_are_not_learnt() -> None:
    torch.manual_seed(0)
    net = Pixellm.named("tiny", max_targets=2)
    before = net.loss(net.see(PICTURES), ASKED, TRUTH)
    moved = TRUTH.masks.clone()
    moved[:, 2] = True
    after = net.loss(net.see(PICTURES), ASKED, TRUTH._replace(masks=moved))
    assert after["dice"] == before["dice"]


def test_a_batch_without_targets_has_no_mask_loss() -> None:
    net = new()
    parts = net.loss(net.see(PICTURES), ASKED, TRUTH._replace(counted=TRUTH.counted & False))
    assert parts["bce"] == parts["dice"] == 0
    assert parts["text"] > 0
