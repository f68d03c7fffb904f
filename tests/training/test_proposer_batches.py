"""What the proposer learns from, and its loss."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from askmask.training import feed  # noqa: E402
from askmask.training.proposer import ProposerRecipe, ProposerTask  # noqa: E402
from askmask.training.proposer_batches import ProposerBatch, proposer_batches  # noqa: E402

HW = (96, 128)


def made(numbers: range, workers: int = 0) -> list[ProposerBatch]:
    batches = proposer_batches(numbers, size=2, positives=20, input_hw=HW, workers=workers)
    return list(islice(batches, len(numbers)))


def same(one: ProposerBatch, other: ProposerBatch) -> bool:
    tensors = zip(one[:-1], other[:-1], strict=True)
    return one.counts == other.counts and all(
        torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in tensors
    )


@pytest.fixture(scope="module")
def four() -> list[ProposerBatch]:
    return made(range(4))


def test_what_a_batch_holds(four: list[ProposerBatch]) -> None:
    batch = four[0]
    objects, positives = sum(batch.counts), len(batch.picture)
    assert batch.image.shape == (2, *HW, 3)
    assert batch.centre.shape == (2, 12, 16)
    assert batch.masks.shape == (positives, 2, 24, 32)
    assert batch.visible.shape == (objects, 24, 32)
    assert len(batch.category) == len(batch.colours) == objects
    assert 0 < positives <= 20
    rows, columns = batch.cells.T
    assert batch.centre[batch.picture, rows, columns].all()
    # A centre lies on what is visible of its object.
    seen = batch.masks[:, 0].float()
    cells = torch.nn.functional.max_pool2d(seen, 2)
    assert cells[torch.arange(positives), rows, columns].all()


def test_batches_depend_on_their_number_only(four: list[ProposerBatch]) -> None:
    (third,) = made(range(2, 3))
    assert same(third, four[2])
    assert not same(four[0], four[1])


def test_processes_make_the_same_batches(four: list[ProposerBatch]) -> None:
    assert all(map(same, made(range(4), workers=2), four))


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 1), (4, 3), (8, 6), (16, 15)])
def test_workers_leave_a_core_and_divide_the_window(
    monkeypatch: pytest.MonkeyPatch, cores: int, workers: int
) -> None:
    monkeypatch.setattr(feed, "cores", lambda: cores)
    assert feed.workers_for(60) == workers


def test_the_loss_falls_on_one_batch(four: list[ProposerBatch]) -> None:
    task = ProposerTask(ProposerRecipe())
    optimiser = torch.optim.AdamW(task.parameter_groups())
    totals = []
    for _ in range(5):
        parts = task.loss(four[0])
        assert set(parts) == {"centre", "mask", "category", "colours"}
        total = torch.stack(list(parts.values())).sum()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(float(total.detach()))
    assert np.isfinite(totals).all()
    assert totals[-1] < totals[0]
