"""Rea2Seg finds candidates where its LISA looks, and its second stage ranks them better."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

import torch
import toy_asked as toy
from torch import Tensor

from askmask.models.attention_regions import head_worth
from askmask.models.rea2seg import Rea2Seg, Rea2SegOptions
from askmask.models.system import Pictures, chosen_slots

PICTURES, ASKED, TRUTH, _ = toy.lesson(11)
# Without the sentences about a reference mask, for which LISA has no input.
ROWS = [row for row in range(44) if row % 4 != 3][:32]
ASKED, TRUTH = toy.some(ASKED, ROWS), toy.some(TRUTH, ROWS)
TARGETED = TRUTH.none == 0
OPTIONS: dict[str, Any] = {
    "grid_hw": (6, 8),
    "own_mask": False,
    "top": 4,
    "heads": 2,
    "thresholds": (0.5,),
    "refine_layers": 1,
    # Told where to look, it would be right at once, with nothing to rank.
    "look_weight": 0.0,
}


@pytest.fixture(scope="module")
def net() -> Rea2Seg:
    """Trained without LISA's own mask, which would be right at once."""
    torch.manual_seed(0)
    net = Rea2Seg.named("tiny", **OPTIONS)
    toy.learn(net, PICTURES, ASKED, TRUTH, 110, rate=5e-3)
    return net


def changed(net: Rea2Seg, **options: Any) -> Rea2Seg:
    """The same weights with other options."""
    other = Rea2Seg.named("tiny", **{**OPTIONS, **options}).eval()
    other.load_state_dict(net.state_dict())
    return other


@torch.no_grad()
def answered(net: Rea2Seg) -> float:
    """Mean IoU of what is answered to sentences with targets."""
    reply = net.reply(net.see(PICTURES), ASKED)
    masks = ((reply.masks > 0) & chosen_slots(reply)[..., None, None]).any(1)
    return float(toy.iou(masks, TRUTH.union.bool())[TARGETED].mean())


@torch.no_grad()
def chosen_by(net: Rea2Seg) -> float:
    """Mean IoU of the chosen candidates where there are targets, whatever LISA says."""
    reply = net.reply(net.see(PICTURES), ASKED)
    picked = reply.masks[torch.arange(32), reply.scores.argmax(1)] > 0
    return float(toy.iou(picked, TRUTH.union.bool())[TARGETED].mean())


@pytest.mark.parametrize(
    "options", [{}, {"top": 1}, {"rerank": False}, {"own_mask": True}, {"own_mask": True, "top": 1}]
)
@torch.no_grad()
def test_a_batch_gets_a_slot_for_each_candidate(options: dict[str, Any]) -> None:
    net = Rea2Seg.named("tiny", **{**OPTIONS, **options}).eval()
    reply = net.reply(net.see(PICTURES), ASKED)
    count = options.get("top", 4)
    assert reply.masks.shape == (32, count, *toy.SIZE.masks_hw)
    assert (reply.scores > -torch.inf).sum(1).max() == 1  # one candidate is the answer
    for part in net.loss(net.see(PICTURES), ASKED, TRUTH).values():
        assert part.isfinite()


@torch.no_grad()
def test_it_overfits_32_samples(net: Rea2Seg) -> None:
    reply = net.reply(net.see(PICTURES), ASKED)
    assert ((reply.none > 0) == ~TARGETED).float().mean() > 0.7
    assert (reply.types.argmax(1) == TRUTH.types).float().mean() > 0.95
    assert answered(changed(net, own_mask=True, top=1)) > 0.6  # its LISA
    assert answered(net) > 0.4


def test_the_second_stage_beats_the_order_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the things in a picture, in any order, it finds the one that is asked for."""
    torch.manual_seed(0)
    net = Rea2Seg.named("tiny", **OPTIONS)  # norms go by the pictures at hand: none is learnt yet
    with torch.no_grad():
        seen = net.see(PICTURES)
        things = PICTURES.pool[ASKED.picture][torch.arange(32), :, TRUTH.types]
        found = net.candidates(seen, ASKED)._replace(
            masks=things.float() - 0.5, there=torch.ones(32, 4, dtype=torch.bool)
        )
    optimiser = torch.optim.AdamW(net.scorer.parameters(), lr=2e-3)
    for _ in range(100):
        optimiser.zero_grad()
        net._score_loss(seen, ASKED, found, TRUTH).backward()
        optimiser.step()
    monkeypatch.setattr(Rea2Seg, "candidates", lambda *_: found)
    with torch.no_grad():
        told = net.figures(seen, ASKED, TRUTH)
        first, chosen, best = (float(told[name].mean()) for name in ("first", "chosen", "best"))
        assert first < 0.5
        assert told["among"].mean() > 0.5
        assert 0.9 < chosen <= best
        assert chosen_by(net) == pytest.approx(chosen)
        monkeypatch.setattr(net, "_options", Rea2SegOptions(**{**OPTIONS, "rerank": False}))
        assert chosen_by(net) == pytest.approx(first)


@torch.no_grad()
def test_more_candidates_hold_better_ones(net: Rea2Seg) -> None:
    best = []
    for top in (1, 2, 4):
        other = changed(net, top=top)
        best.append(float(other.figures(other.see(PICTURES), ASKED, TRUTH)["best"].mean()))
    assert best[0] < best[-1]
    assert best == sorted(best)


@torch.no_grad()
def on_target(net: Rea2Seg) -> tuple[float, float]:
    """Share of the best head's evidence on the own target, and on another sentence's target."""
    maps = net.evidence(net.see(PICTURES), ASKED).flatten(1, 3)[:, int(net.record.argmax())]
    targets = TRUTH.modal.any(1).float()
    shares: dict[bool, list[float]] = {True: [], False: []}
    for row in TARGETED.nonzero()[:, 0].tolist():
        about_same = (ASKED.picture == ASKED.picture[row]) & TARGETED
        for other in about_same.nonzero()[:, 0].tolist():
            shares[other == row].append(float(head_worth(maps[[row]], targets[[other]])))
    own, others = (sum(values) / len(values) for values in (shares[True], shares[False]))
    return own, others


def test_a_sentence_draws_attention_to_what_it_asks_for(net: Rea2Seg) -> None:
    """The loss on where LISA looks, and its ablation: a decoder that finds things by itself."""
    torch.manual_seed(0)
    told = Rea2Seg.named("tiny", **OPTIONS)
    optimiser = torch.optim.AdamW(told.lisa.parameters(), lr=4e-3)
    visible = TRUTH.modal.any(1).float()
    for _ in range(70):
        seen = told.see(PICTURES)
        looks = told._looks(seen, ASKED)
        told._remember(told._less_generic(looks.detach(), seen, ASKED), visible, TRUTH.none)
        optimiser.zero_grad()
        told._look_loss(looks, visible, TRUTH.none).backward()
        optimiser.step()
    own, others = on_target(told)
    assert own > 0.5
    assert own > 3 * others
    assert own > on_target(net)[0] + 0.15


@torch.no_grad()
def test_the_record_knows_heads_that_look_at_targets(net: Rea2Seg) -> None:
    maps = net.evidence(net.see(PICTURES), ASKED)
    worth = head_worth(maps, TRUTH.modal.any(1).float())[TARGETED].mean(0).flatten()
    assert worth[net.record.argmax()] > 0.7 * worth.max()
    assert worth[net.record.argmax()] > 1.3 * TRUTH.modal.any(1).float()[TARGETED].mean()
    assert "record" in net.state_dict()


def test_the_second_stage_changes_nothing_of_the_first() -> None:
    torch.manual_seed(0)
    net = Rea2Seg.named("tiny", **OPTIONS)
    parts = net.loss(net.see(PICTURES), ASKED, TRUTH)

    def moved(names: tuple[str, ...]) -> set[str]:
        net.zero_grad(set_to_none=True)
        torch.stack([parts[name] for name in names]).sum().backward(retain_graph=True)
        given = [name for name, one in net.named_parameters() if one.grad is not None]
        return {name.partition(".")[0] for name in given}

    assert moved(("score",)) == {"scorer"}
    assert "lisa" not in moved(("refine",))
    assert moved(("bce", "dice", "text", "type", "look")) == {"lisa"}


@torch.no_grad()
def test_forcing_a_type_keeps_the_regions(net: Rea2Seg) -> None:
    seen = net.see(PICTURES)
    modal, amodal = (
        net.candidates(seen, ASKED._replace(forced=torch.full((32,), forced))) for forced in (1, 2)
    )
    assert torch.equal(modal.regions.inside, amodal.regions.inside)
    assert not torch.equal(modal.masks, amodal.masks)


@torch.no_grad()
def test_a_sentence_alone_gets_the_same_answer(net: Rea2Seg) -> None:
    """Padding, and other sentences, change nothing; a short sentence is cut to its own length."""
    whole = net.reply(net.see(PICTURES), ASKED)
    one = toy.some(ASKED, [0])
    alone = one._replace(words=one.words[:, :2], valid=one.valid[:, :2])
    reply = net.reply(net.see(Pictures(*(part[:1] for part in PICTURES))), alone)

    def same(ours: Tensor, theirs: Tensor) -> bool:
        return torch.allclose(ours[0], theirs[0], atol=1e-3)

    assert all(same(*pair) for pair in zip(reply, whole, strict=True))
