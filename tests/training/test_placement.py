"""Devices: what is chosen, and that no loss makes anything elsewhere than its batch is."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from askmask.errors import ConfigError  # noqa: E402
from askmask.models.completer.config import CompleterConfig  # noqa: E402
from askmask.models.embedded.config import EmbeddedConfig  # noqa: E402
from askmask.models.embedded.text_net import TextTower  # noqa: E402
from askmask.models.embedded.tokens import GEOMETRY, PAIR, MaskTokens  # noqa: E402
from askmask.training.candidates import CachedQuery, CachedScene  # noqa: E402
from askmask.training.completer import CompleterRecipe, CompleterTask  # noqa: E402
from askmask.training.completer_samples import CropBatch  # noqa: E402
from askmask.training.mask_type import MaskTypeRecipe, MaskTypeTask  # noqa: E402
from askmask.training.placement import Placement  # noqa: E402
from askmask.training.proposer import ProposerRecipe, ProposerTask  # noqa: E402
from askmask.training.proposer_batches import ProposerBatch  # noqa: E402
from askmask.training.selector import Example, SelectorRecipe, SelectorTask  # noqa: E402

BUILDS = [
    pytest.param("proposer", id="proposer"),
    pytest.param("selector", id="selector"),
    pytest.param("mask-type", id="mask-type"),
    pytest.param("completer", id="completer"),
]


def build(name: str) -> tuple[Any, Any]:
    """A task and a batch of it, made up."""
    rng = np.random.default_rng(0)
    if name == "proposer":
        batch = ProposerBatch(
            image=torch.randint(256, (2, 64, 96, 3), dtype=torch.uint8),
            centre=torch.rand(2, 8, 12) > 0.9,
            picture=torch.tensor([0, 0, 1]),
            cells=torch.tensor([[1, 2], [3, 4], [5, 6]]),
            masks=torch.rand(3, 2, 16, 24) > 0.5,
            visible=torch.rand(3, 16, 24) > 0.5,
            category=torch.tensor([0, -1, 2]),
            colours=torch.tensor([[0.3] * 11, [float("nan")] * 11, [0.1] * 11]),
            counts=(2, 1),
        )
        return ProposerTask(ProposerRecipe()), batch
    if name == "selector":
        config = EmbeddedConfig()
        tokens = MaskTokens(
            rng.normal(size=(4, 2 * config.appearance)).astype(np.float32),
            rng.normal(size=(4, GEOMETRY)).astype(np.float32),
            rng.normal(size=(4, 4, PAIR)).astype(np.float32),
        )
        query = CachedQuery("the red jar like [1]", (3,), (0,), 1, 0, steps=((0,), (1,), (2,)))
        words = rng.normal(size=(6, 768)).astype(np.float16)
        learnt = [Example(CachedScene(tokens, 3, (query,)), query, words)] * 5
        selector = SelectorTask(SelectorRecipe(batch=4), config, learnt, [], {})
        return selector, next(selector.batches(range(1), 0.0))
    if name == "mask-type":
        query = CachedQuery("the mug", (), (), 1, 0, phrase="mug")
        task = MaskTypeTask(MaskTypeRecipe(batch=3), EmbeddedConfig(), TextTower(), [query], [], {})
        return task, next(task.batches(range(1), 0.0))
    cells = 64
    small = CompleterConfig(cells=cells, widths=(8, 8, 8, 8))
    crops = CropBatch(
        image=torch.randint(256, (2, cells, cells, 3), dtype=torch.uint8),
        modal=torch.randint(256, (2, cells, cells), dtype=torch.uint8),
        inside=torch.rand(2, cells, cells) > 0.1,
        amodal=torch.rand(2, cells, cells) > 0.5,
    )
    return CompleterTask(CompleterRecipe(config=small)), crops


@pytest.mark.parametrize("name", BUILDS)
def test_losses_compute_where_their_batch_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The device "meta" has shapes only; what meets it from the CPU fails as on a GPU.
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())
    task, batch = build(name)
    place = Placement(torch.device("meta"))
    task.model.to(place.device)
    parts = task.loss(place.put(batch))
    assert {part.device.type for part in parts.values()} == {"meta"}


@pytest.mark.parametrize("name", BUILDS)
def test_bfloat16_gives_about_the_same_loss(name: str) -> None:
    task, batch = build(name)
    task.model.eval()  # without dropout
    with torch.no_grad():
        exact = task.loss(batch)
        with torch.autocast("cpu", torch.bfloat16):
            rough = task.loss(batch)
    for part in exact:
        assert float(rough[part]) == pytest.approx(float(exact[part]), rel=0.03, abs=0.02)


class Pair(NamedTuple):
    one: Any
    other: Any


def test_batches_of_any_shape_are_sent() -> None:
    tensor = torch.zeros(2)
    batch = Pair((tensor, {"a": tensor}), 3)
    sent = Placement(torch.device("meta")).put(batch)
    assert isinstance(sent, Pair)
    assert sent.other == 3
    assert sent.one[0].device.type == sent.one[1]["a"].device.type == "meta"
    assert Placement().put(batch) is batch


def test_a_device_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert Placement.named("auto").device.type == "cpu"
    with pytest.raises(ConfigError, match="torch finds no GPU"):
        Placement.named("cuda")
    with pytest.raises(ConfigError, match="expected one of auto, cpu, cuda, got 'gpu'"):
        Placement.named("gpu")


def test_a_precision_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    product = torch.ones(2, 2)
    for name, wanted in (
        ("auto", torch.float32),
        ("float32", torch.float32),
        ("bfloat16", torch.bfloat16),
    ):
        with Placement.named("cpu", name).computing():
            assert (product @ product).dtype is wanted
    with pytest.raises(ConfigError, match="expected one of auto, float32, bfloat16, got 'half'"):
        Placement.named("cpu", "half")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert Placement.named("auto").half
    assert not Placement.named("auto", "float32").half
