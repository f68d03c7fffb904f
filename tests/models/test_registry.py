"""Models by name, and the public names of the package."""

from __future__ import annotations

import subprocess
import sys

import pytest

import askmask
from askmask import errors
from askmask.errors import ConfigError, WeightsError
from askmask.models import registry


class Plain:
    """A model that only knows its name."""

    def __init__(self, model_id: str) -> None:
        self.model_id = model_id

    @classmethod
    def load(cls, name: str) -> Plain:
        return cls(name)


class Typing(Plain):
    def mask_types(self, texts: list[str]) -> list[dict[str, float]]:
        return [{} for _ in texts]


@pytest.fixture(autouse=True)
def two_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.MODELS, "plain", f"{__name__}:Plain")
    monkeypatch.setitem(registry.MODELS, "typing", f"{__name__}:Typing")


def test_models_load_by_name() -> None:
    assert registry.load("plain").model_id == "plain"
    assert askmask.load is registry.load


def test_the_list_is_sorted_and_has_the_default() -> None:
    assert registry.available() == sorted(registry.MODELS)
    assert registry.DEFAULT_MODEL in registry.available()


def test_a_slip_gets_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="'embeded-v1' is not known: did you mean 'embedded-v1'"):
        registry.load("embeded-v1")


@pytest.mark.parametrize("name", ["", "zzzzzz", "../no/such", "os:system"])
def test_other_names_get_the_list(name: str) -> None:
    with pytest.raises(ConfigError, match="known are embedded-v1, plain, typing"):
        registry.load(name)


def test_a_folder_without_weights_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("empty")
    with pytest.raises(WeightsError, match=str(folder)):
        registry.load(str(folder))


def test_only_some_models_type_sentences() -> None:
    assert registry.load_mask_typer("typing").mask_types(["a"]) == [{}]
    with pytest.raises(ConfigError, match="'plain' cannot name mask types"):
        registry.load_mask_typer("plain")


class TestPublicNames:
    def test_all_is_sorted_and_equals_the_visible_names(self) -> None:
        assert askmask.__all__ == sorted(askmask.__all__, key=_isort)
        assert set(dir(askmask)) - {"__version__"} == set(askmask.__all__)
        assert set(errors.__all__) <= set(askmask.__all__)

    @pytest.mark.parametrize("name", askmask.__all__)
    def test_every_name_is_there(self, name: str) -> None:
        assert getattr(askmask, name).__name__ == name

    def test_the_version_is_that_of_the_package(self) -> None:
        assert askmask.__version__[0].isdigit()

    def test_other_names_are_not(self) -> None:
        with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
            askmask.nonsense  # noqa: B018

    def test_import_is_light(self) -> None:
        code = "import sys, askmask; print(*sorted(m.partition('.')[0] for m in sys.modules))"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        heavy = {"numpy", "PIL", "torch", "onnxruntime", "transformers", "tokenizers", "cv2"}
        assert not heavy & set(done.stdout.split())


def _isort(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as ruff sorts `__all__`."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)
