"""Recipes on published models take other options than the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("cv2")

from askmask.errors import ConfigError
from askmask.training.recipes import RECIPES, train

HUB = [name for name in RECIPES if name.startswith("hub:")]


@pytest.mark.parametrize("name", HUB)
def test_they_learn_from_data_only(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="--renders, --image-from and --only are for other"):
        train(name, tmp_path / "run", renders=[tmp_path])
    with pytest.raises(ConfigError, match="--data: expected a data set to learn from"):
        train(name, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["embedded", "completer", "lisa"])
def test_others_have_no_base(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f"on published models, {', '.join(HUB)}; leave them out"):
        train(name, tmp_path / "run", base="facebook/sam-vit-base")
