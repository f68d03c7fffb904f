"""Whole models by name: what is loaded from where, and what is refused before anything is."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from askmask.errors import AskmaskWarning, ConfigError, NoRoomError
from askmask.models import composed
from askmask.models.by_name import class_at
from askmask.models.completer.baselines import HullCompleter
from askmask.models.completer.crop_completer import CropCompleter
from askmask.models.hub import catalog, machine
from askmask.models.hub.catalog import CATALOG, PRESETS, Preset, Published
from askmask.models.hub.loading import Where
from askmask.models.pipeline import Pipeline
from askmask.models.registry import load
from askmask.types import Candidates, Masks

CPU = Where("cpu")


class Stage:
    """A model of the hub that only notes how it was loaded."""

    loaded: ClassVar[list[tuple[str, Where, dict[str, object]]]] = []

    @classmethod
    def load(cls, source: str, where: Where, *, grid: int = 32) -> Stage:
        cls.loaded.append((source, where, {"grid": grid}))
        return cls()

    def propose(self, image: object) -> Candidates:
        none = Masks.empty((4, 4))
        return Candidates(none, none, np.zeros(0, np.float32))


def published(stage: str, millions: float = 1, seconds: float = 0, smaller: str | None = None):
    return Published(
        stage, f"{__name__}:Stage", f"org/{stage}", "MIT", millions, "", 0, seconds, smaller=smaller
    )


@pytest.fixture(autouse=True)
def two_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stage, "loaded", [])
    monkeypatch.setitem(CATALOG, "finder", published("proposer"))
    monkeypatch.setitem(CATALOG, "judge", published("selector"))


def stages(model: Pipeline) -> tuple[object, object, object]:
    return model._proposer, model._completer, model._selector


def test_the_embedded_parts_answer_as_the_embedded_model() -> None:
    whole, parts = load("embedded-v1"), load("embedded-v1+embedded-v1+embedded-v1")
    image = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    answers = []
    for model in (whole, parts):
        model.set_image(image)
        answers.append(model.answer("the whole red mug"))
    assert answers[0].scores.tolist() == answers[1].scores.tolist()
    assert answers[0].amodal.rles == answers[1].amodal.rles
    assert parts.model_id == "embedded-v1+embedded-v1+embedded-v1"


def test_models_of_the_hub_get_source_place_and_options() -> None:
    model = load("hub:finder,grid=8+convex-hull+hub:judge=/models/mine", device="cpu")
    finder, judge = Stage.loaded
    assert finder == ("org/proposer@main", CPU, {"grid": 8})
    assert judge == ("/models/mine", CPU, {"grid": 32})
    assert isinstance(stages(model)[1], HullCompleter)
    assert (model.model_id.split(",")[0], model.device) == ("hub:finder", "cpu")


def test_the_embedded_completer_is_the_one_for_any_mask_behind_other_proposers() -> None:
    model = composed.load_composed("hub:finder+embedded-v1+hub:judge", CPU)
    assert isinstance(stages(model)[1], CropCompleter)
    own = composed.load_composed("embedded-v1+embedded-v1+hub:judge", CPU)
    assert stages(own)[1] is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "hub:findr+none+hub:judge",
            "at character 1: hub proposer 'findr' is not known: .*'finder'",
        ),
        (
            "hub:judge+none+hub:judge",
            "at character 1: hub:judge is a selector; proposers are .*, finder",
        ),
        ("hub:finder+nnoe+hub:judge", "completer 'nnoe' is not known: did you mean 'none'"),
        ("embeded-v1+none+hub:judge", "model 'embeded-v1' is not known: .*'embedded-v1'"),
        ("hub:finder+none+embedded-v1", "at character 17: embedded-v1 chooses among"),
        ("hub:finder,size=8+none+hub:judge", "at character 1: finder has no option 'size'"),
        ("embedded-v1,a=1+none+hub:judge", "embedded-v1 has no options, got a"),
        ("embedded-v1+none+openai:gpt@nowhere", "expected a base URL"),
        ("embedded-v1+none+openai:gpt,colour=red", "gpt has no option 'colour'"),
        ("hub:finder+hub:finder+hub:judge", "is a proposer; completers are amodal-sam"),
        ("openai:gpt@http://localhost/v1", "expected PROPOSER.*got 1 part"),
        ("hub:judge", "hub:judge is a selector and no whole model: .*PROPOSER"),
        ("hub:judge=/folder", "no whole model"),
        ("hub:mediun", "model 'hub:mediun' is not known: did you mean 'hub:medium'"),
    ],
)
def test_slips_are_told(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(text, device="cpu")


def test_names_are_checked_before_anything_is_loaded() -> None:
    with pytest.raises(ConfigError):
        load("hub:finder+none+hub:nothing-like-it", device="cpu")
    assert Stage.loaded == []


def test_models_that_compute_where_they_like_take_no_device() -> None:
    with pytest.raises(ConfigError, match="'embedded-v1' computes on the CPU"):
        load("embedded-v1", device="cuda")
    assert load("embedded-v1", device="cpu").model_id == "embedded-v1"


class TestRoom:
    @pytest.fixture(autouse=True)
    def small_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "memory_gb", lambda: 8.0)
        monkeypatch.setitem(CATALOG, "huge", published("selector", 4_000, smaller="judge"))

    def test_too_large_a_model_is_refused_with_what_to_do(self) -> None:
        message = (
            "hub:finder and hub:huge: about 16 GB are needed in float32, the cpu has 8 GB: "
            "use the smaller hub:judge or --dtype bfloat16"
        )
        with pytest.raises(NoRoomError, match=message):
            load("hub:finder+none+hub:huge", device="cpu")
        assert Stage.loaded == []
        with pytest.raises(NoRoomError, match=r"in bfloat16.*use the smaller hub:judge$"):
            load("hub:finder+none+hub:huge", device="cpu", dtype="bfloat16")

    def test_a_preset_falls_back_to_a_smaller_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(PRESETS, "big", Preset("hub:finder+none+hub:huge", "", "little"))
        monkeypatch.setitem(PRESETS, "little", Preset("hub:finder+none+hub:judge", ""))
        with pytest.warns(AskmaskWarning, match="the cpu has 8 GB.*; taking hub:little"):
            model = load("hub:big", device="cpu")
        assert model.model_id == "hub:finder+none+hub:judge"

    def test_a_slow_model_is_warned_of(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(CATALOG, "slow", published("proposer", seconds=45))
        with pytest.warns(AskmaskWarning, match="hub:slow about 45 s a picture on two cores"):
            load("hub:slow+none+hub:judge", device="cpu")


class TestCatalog:
    @pytest.mark.parametrize("name", CATALOG)
    def test_every_target_is_a_class_that_loads(self, name: str) -> None:
        assert callable(class_at(CATALOG[name].target).load)

    def test_smaller_models_are_smaller_and_of_the_same_stage(self) -> None:
        for name, model in CATALOG.items():
            if model.smaller is not None:
                other = CATALOG[model.smaller]
                assert other.stage == model.stage, name
                assert other.millions < model.millions, name

    def test_no_preset_is_gated_and_smaller_ones_are_smaller(self) -> None:
        for name, preset in PRESETS.items():
            parts = [part for part in composed.parse(preset.parts) if part.kind == "hub"]
            assert not any(CATALOG[part.name].gated for part in parts), name
            assert preset.smaller is None or preset.smaller in PRESETS

    def test_every_gated_model_names_one_that_is_not(self) -> None:
        for name, model in CATALOG.items():
            if model.gated:
                assert model.smaller is not None, name
                assert not CATALOG[model.smaller].gated, name

    def test_four_bits_are_for_language_models(self) -> None:
        model = CATALOG["qwen3-vl-2b"]
        assert model.memory_gb("float32") > model.memory_gb("bfloat16")
        assert model.memory_gb("bfloat16") > model.memory_gb("bfloat16", four_bit=True)
        sam = CATALOG["sam2-tiny"]
        assert sam.memory_gb("bfloat16", four_bit=True) == sam.memory_gb("float32")

    def test_a_smaller_model_is_found_by_its_repository(self) -> None:
        assert catalog.smaller_than("facebook/sam3@main") == "hub:sam2-large"
        assert catalog.smaller_than("facebook/sam2.1-hiera-tiny") is None
        assert catalog.smaller_than("/models/sam3") is None


class TestInOne:
    @pytest.fixture(autouse=True)
    def whole(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(CATALOG, "whole", published("segmenter"))

    def test_a_published_segmenter_is_loaded_as_it_is(self) -> None:
        assert isinstance(load("hub:whole", device="cpu"), Stage)
        load("hub:whole=folder,grid=8", device="cpu")
        assert Stage.loaded == [
            ("org/segmenter@main", CPU, {"grid": 32}),
            ("folder", CPU, {"grid": 8}),
        ]

    def test_it_is_no_part(self) -> None:
        with pytest.raises(ConfigError, match="hub:whole is a segmenter; selectors are"):
            load("embedded-v1+none+hub:whole")

    def test_one_that_is_not_on_the_hub_wants_its_file(self) -> None:
        with pytest.raises(ConfigError, match="rela is not on the hub: expected hub:rela=PATH"):
            load("hub:rela", device="cpu")
        assert list(machine.missing(CATALOG["rela"]))[-1].startswith("the path of its")
