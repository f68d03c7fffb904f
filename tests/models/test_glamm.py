"""GLaMM learns; its phrases, its region tokens and the states of [SEG] do what the paper says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

pytest.importorskip("torch")

import torch
import toy_asked as toy
from torch import Tensor, nn

from askmask.models.embedded.proposer_net import ProposerNet
from askmask.models.glamm import Glamm, relative_boxes
from askmask.models.system import Asked, Pictures, Truth, chosen_slots
from askmask.models.trunk import start_from_proposer


def samples() -> tuple[Pictures, Asked, Truth]:
    """32 sentences: of each picture one of the usual ones, and "all like" each of its things."""
    pictures, asked, truth, _ = toy.lesson(8)
    rows = []
    for place in range(8):
        rows += [4 * place + place % 3] + 3 * [4 * place + 3]
    asked, truth = toy.some(asked, rows), toy.some(truth, rows)
    masks, references = truth.masks.clone(), asked.references.clone()
    for place in range(8):
        pool = pictures.pool[place, :, 0]
        things = pool[~pool[:, -1, 4:12].all(1)]  # the wrong one lies at the bottom
        for row, thing in enumerate(things, 4 * place + 1):
            masks[row] = references[row] = thing
    return (
        pictures,
        asked._replace(references=references),
        Truth(masks, masks, truth.counted, truth.types),
    )


PICTURES, ASKED, TRUTH = samples()
TARGETED = TRUTH.none == 0
POINTING = ASKED.spots[:, 0] >= 0


def new(**options: bool) -> Glamm:
    torch.manual_seed(0)
    return Glamm.named("tiny", grid_hw=(3, 4), max_targets=2, **options)


@torch.no_grad()
def found(net: Glamm, asked: Asked = ASKED, rows: Tensor = TARGETED) -> float:
    """Mean IoU of the masks that are drawn for some sentences."""
    reply = net.reply(net.see(PICTURES), asked)
    return float(toy.iou(reply.masks[:, 0] > 0, TRUTH.union.bool())[rows].mean())


@pytest.fixture(scope="module")
def net() -> Glamm:
    net = new()
    toy.learn(net, PICTURES, ASKED, TRUTH, 150)
    return net


@torch.no_grad()
def test_it_overfits_32_samples(net: Glamm) -> None:
    reply = net.reply(net.see(PICTURES), ASKED)
    assert found(net) > 0.8
    assert ((reply.none > 0) == ~TARGETED).float().mean() > 0.9
    assert (reply.types.argmax(1) == TRUTH.types).float().mean() > 0.95
    assert torch.equal(chosen_slots(reply)[:, 0], reply.none <= 0)
    figures = net.figures(net.see(PICTURES), ASKED, TRUTH)
    assert figures["missing"].mean() < 0.1
    assert figures["count"].mean() > 0.9
    assert figures["phrase"].shape == (int(TARGETED.sum()),)
    assert figures["phrase"].mean() > 0.9


def test_the_answer_follows_the_region(net: Glamm) -> None:
    """The same sentence and picture: only the region's token tells which thing is meant."""
    assert found(net, rows=POINTING) > 0.8
    blind = ASKED._replace(references=ASKED.references & False)
    assert found(net, blind, POINTING) < 0.5
    others = list(range(32))
    for first in range(1, 32, 4):  # each sentence gets the region of the next about its picture
        others[first : first + 3] = [first + 1, first + 2, first]
    moved = ASKED._replace(references=ASKED.references[others])
    assert found(net, moved, POINTING) < 0.4
    wanted = TRUTH.union.bool()[others]
    with torch.no_grad():
        masks = net.reply(net.see(PICTURES), moved).masks[:, 0] > 0
    assert toy.iou(masks, wanted)[POINTING].mean() > 0.8


@contextmanager
def states_as(net: Glamm, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Let `change` stand between the hidden states of [SEG] and their projection."""
    hook = net.project.register_forward_pre_hook(lambda _, given: (change(given[0]),))
    yield
    hook.remove()


def test_the_state_of_seg_says_what_is_drawn(net: Glamm) -> None:
    before = found(net)
    for change in (torch.zeros_like, lambda states: states.roll(1, 0)):
        with states_as(net, change):
            assert found(net) < 0.6 * before
    assert found(net) == before


@torch.no_grad()
def test_a_phrase_says_the_mask_type_before_its_seg(net: Glamm) -> None:
    heard, _ = net.hear(net.see(PICTURES), ASKED)
    said = [
        " ".join(net.speaker.vocabulary[word] for word in tokens)
        for tokens in net.tokens_of(heard, None)
    ]
    for one, kind, there in zip(said, TRUTH.types.tolist(), TARGETED.tolist(), strict=True):
        phrase = ("visible", "complete", "hidden")[kind]
        assert one == f"<p> {phrase} </p> [SEG]" or not there
    taught = net.tokens_of(heard, torch.full((32,), 2))
    assert {net.speaker.vocabulary[word] for word in taught[:, 1]} == {"hidden"}
    # A [SEG] has read its phrase.
    visible, hidden = (
        net.speaker.follow(heard, net.listing.endless(net.tokens_of(heard, kinds), 1))
        for kinds in (torch.zeros(32).long(), torch.full((32,), 2))
    )
    assert torch.allclose(visible[:, :4], hidden[:, :4], atol=1e-5)
    assert not torch.allclose(visible[:, -1], hidden[:, -1], atol=1e-2)


@torch.no_grad()
def test_without_phrases_nothing_is_answered(net: Glamm) -> None:
    seen, kept = net.see(PICTURES), net.speaker.head.bias.clone()
    net.speaker.head.bias[net.speaker.vocabulary.index("<p>")] -= 100
    silent = net.reply(seen, ASKED)
    missing = net.figures(seen, ASKED, TRUTH)["missing"]
    net.speaker.head.bias.copy_(kept)
    assert not chosen_slots(silent).any()
    assert missing.mean() == 1


@torch.no_grad()
def test_a_sentence_alone_gets_the_same_answer(net: Glamm) -> None:
    whole = net.reply(net.see(PICTURES), ASKED)
    for row in (0, 1):
        one = toy.some(ASKED, [row])
        count = int(one.valid.sum())
        alone = one._replace(words=one.words[:, :count], valid=one.valid[:, :count])
        if row == 0:
            alone = alone._replace(references=one.references[:, :0], spots=one.spots[:, :0])
        reply = net.reply(net.see(Pictures(*(part[:1] for part in PICTURES))), alone)
        for ours, theirs in zip(reply, whole, strict=True):
            assert torch.allclose(ours[0], theirs[row], atol=1e-3)


@torch.no_grad()
def test_conversation_and_grounding_have_encoders_of_their_own() -> None:
    net = new().eval()
    assert isinstance(net.overview, nn.Module)
    before = net.see(PICTURES)
    net.overview.lateral8.weight += 1
    after = net.see(PICTURES)
    assert torch.equal(before.grounds.middle, after.grounds.middle)
    assert not torch.allclose(before.picture.keys[0], after.picture.keys[0])
    assert not torch.allclose(before.overview.middle, after.overview.middle)
    shared = new(separate=False).eval()
    seen = shared.see(PICTURES)
    assert seen.overview is seen.grounds
    assert sum(part.numel() for part in shared.parameters()) < sum(
        part.numel() for part in net.parameters()
    )


def test_both_encoders_start_from_the_same_proposer() -> None:
    net = Glamm.named("small")
    assert start_from_proposer(net.seeing(), ProposerNet().state_dict()) > 0
    assert isinstance(net.overview, nn.Module)
    for name, own in net.overview.state_dict().items():
        assert torch.equal(own, net.trunk.eyes.state_dict()[name])


@torch.no_grad()
def test_without_regions_references_change_nothing() -> None:
    for regions in (True, False):
        net = new(regions=regions).eval()
        seen = net.see(PICTURES)
        blind = ASKED._replace(references=ASKED.references & False)
        one, other = (net.reply(seen, asked).masks[POINTING] for asked in (ASKED, blind))
        assert torch.equal(one, other) != regions


def test_boxes_are_edges_in_shares_of_the_picture() -> None:
    masks = torch.zeros(2, 3, 4, 8, dtype=torch.bool)
    masks[0, 0, 1:3, 2:8] = True
    masks[0, 1, 3, 0] = True
    masks[1, 2] = True
    boxes = relative_boxes(masks)
    assert boxes[0, 0].tolist() == [0.25, 0.25, 1.0, 0.75]
    assert boxes[0, 1].tolist() == [0.0, 0.75, 0.125, 1.0]
    assert boxes[1, 2].tolist() == [0.0, 0.0, 1.0, 1.0]
    assert boxes[1, 0].tolist() == [0.0] * 4
