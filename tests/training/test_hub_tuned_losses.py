"""Losses of fine-tuned systems are nothing where a system answers as it should, and only there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

from askmask import rle  # noqa: E402
from askmask.formats.records import QueryRecord, Target  # noqa: E402
from askmask.models.hub.preprocessing import SAM1, SAM2, Placement  # noqa: E402
from askmask.models.hub.published.rela_parts import Voted  # noqa: E402
from askmask.models.hub.published.tuned_psalm import Proposed  # noqa: E402
from askmask.models.hub.published.tuned_speakers import Followed  # noqa: E402
from askmask.training.hub_psalm import PsalmLearner  # noqa: E402
from askmask.training.hub_rela import RelaLearner  # noqa: E402
from askmask.training.hub_spoken import LisaLearner  # noqa: E402
from askmask.training.hub_tune import Lesson  # noqa: E402
from askmask.training.studied import Studied  # noqa: E402

SIDE, HW = 64, (40, 64)
LEFT, RIGHT = (np.zeros(HW, bool) for _ in range(2))
LEFT[8:20, 4:12] = True
RIGHT[20:32, 40:60] = True


def lesson(*masks: np.ndarray) -> Lesson:
    codes = [rle.encode(mask) for mask in masks]
    targets = tuple(Target(code, number, "block", code) for number, code in enumerate(codes))
    record = QueryRecord("0", "0.png", *HW, "the blocks", targets, (), None)
    return Lesson(np.zeros((*HW, 3), np.uint8), record, Studied(Path("0.png")), 0)


def sure(mask: np.ndarray, placement: Placement, cells: int = 64) -> Tensor:
    """(cells, cells) logits of a mask over the input; what lies beside the picture is wrong."""
    inside = placement.grids(torch.from_numpy(mask)[None].float(), (cells, cells))
    logits = torch.full((1, cells, cells), 20.0)
    placement.used(logits)[:] = 40.0 * (placement.used(inside) > 0.5) - 20.0
    return logits[0]


def total(learner_class: Any, followed: Any, asked: Lesson) -> float:
    learner = object.__new__(learner_class)
    learner.model = SimpleNamespace(follow=lambda image, query: followed)
    return float(torch.stack(list(learner.loss(asked).values())).sum())


def test_speakers_say_the_mark_and_draw_all_targets_as_one() -> None:
    placement = SAM1.placement(HW, SIDE)
    ids = torch.tensor([3, 1])
    words = 40.0 * functional.one_hot(ids, 5)
    both, one = (sure(mask, placement)[None] for mask in (LEFT | RIGHT, LEFT))
    asked = lesson(LEFT, RIGHT)
    assert total(LisaLearner, Followed(ids, words, both, placement), asked) < 1e-3
    assert total(LisaLearner, Followed(ids, words, one, placement), asked) > 0.1
    assert total(LisaLearner, Followed(ids.flip(0), words, both, placement), asked) > 1


def test_psalm_proposes_each_target_once_and_means_no_other() -> None:
    placement = SAM1.placement(HW, SIDE)
    masks = torch.stack([sure(mask, placement) for mask in (~LEFT, RIGHT, LEFT)])
    meant = torch.tensor([-20.0, 20.0, 20.0])
    right, asked = (masks, meant), lesson(LEFT, RIGHT)
    assert total(PsalmLearner, Proposed([right, right], placement), asked) < 1e-3
    for wrong in [(masks, -meant), (masks[[0, 1, 1]], meant), (masks, meant.abs())]:
        once = total(PsalmLearner, Proposed([right, wrong], placement), asked)
        assert once > 1
        twice = total(PsalmLearner, Proposed([wrong, wrong], placement), asked)
        assert twice == pytest.approx(2 * once, rel=1e-3)


def test_rela_votes_by_rows_and_tells_when_nothing_is_meant() -> None:
    placement = SAM2.placement(HW, SIDE)
    logits = sure(LEFT | RIGHT, placement)
    masks = torch.stack([-logits, logits]) / 2
    # One of the middles of 4 x 4 regions, at 8, 24, 40 and 56, lies in each block; rows are
    # stretched from 40 to 64.
    held = torch.tensor([[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]).flatten()
    votes = 40.0 * functional.one_hot(held, 2) - 20
    some, none = torch.tensor([20.0, -20.0]), torch.tensor([-20.0, 20.0])
    asked = lesson(LEFT, RIGHT)
    assert total(RelaLearner, (Voted(masks, votes, some), placement), asked) < 1e-3
    turned = votes.view(4, 4, 2).transpose(0, 1).flatten(0, 1)
    assert total(RelaLearner, (Voted(masks, turned, some), placement), asked) > 0.1
    assert total(RelaLearner, (Voted(masks, votes, none), placement), asked) > 1
    assert total(RelaLearner, (Voted(masks.flip(0), votes, some), placement), asked) > 1
    nothing = 20 * torch.tensor([1.0, -1.0])
    quiet = Voted(nothing[:, None, None].expand(2, 64, 64), nothing.expand(16, 2), none)
    assert total(RelaLearner, (quiet, placement), lesson()) < 1e-3
