"""Networks come back from their folders as they were, and folders of others are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from askmask.errors import WeightsError  # noqa: E402
from askmask.models.completer.config import CompleterConfig  # noqa: E402
from askmask.models.completer.net import CompleterNet  # noqa: E402
from askmask.models.embedded.config import EmbeddedConfig  # noqa: E402
from askmask.models.embedded.mask_type_net import MaskTypeNet  # noqa: E402
from askmask.models.embedded.proposer_net import ProposerNet  # noqa: E402
from askmask.models.embedded.selector_net import SelectorNet  # noqa: E402
from askmask.models.embedded.text_net import TextTower  # noqa: E402
from askmask.models.pretrained import Pretrained  # noqa: E402

SMALL = CompleterConfig(cells=64, widths=(8, 8, 8, 8))


@pytest.mark.parametrize(
    "network",
    [
        lambda: ProposerNet(EmbeddedConfig(mask_features=4)),
        lambda: SelectorNet(EmbeddedConfig(appearance=24, comparative=False)),
        lambda: MaskTypeNet(TextTower()),
        lambda: CompleterNet(SMALL),
    ],
)
def test_a_network_comes_back(network, tmp_path: Path) -> None:
    saved: Pretrained = network()
    saved.save_pretrained(tmp_path / "it")
    assert sorted(path.name for path in (tmp_path / "it").iterdir()) == [
        "config.json",
        "model.safetensors",
    ]
    read = type(saved).from_pretrained(tmp_path / "it")
    assert not read.training
    assert getattr(read, "config", None) == getattr(saved, "config", None)
    for name, value in saved.state_dict().items():
        assert torch.equal(value, read.state_dict()[name]), name


class TestRefused:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        CompleterNet(SMALL).save_pretrained(tmp_path)
        return tmp_path

    def test_another_network(self, folder: Path) -> None:
        with pytest.raises(WeightsError, match="expected a ProposerNet, got CompleterNet"):
            ProposerNet.from_pretrained(folder)

    def test_no_network(self, tmp_path: Path) -> None:
        with pytest.raises(WeightsError, match=r"model\.safetensors is missing; give the folder"):
            CompleterNet.from_pretrained(tmp_path)

    @pytest.mark.parametrize(
        ("key", "value"), [("widths", [8, 8, 8, 16]), ("speed", 3), ("cells", "many")]
    )
    def test_other_sizes(self, folder: Path, key: str, value: object) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, key: value}))
        with pytest.raises(WeightsError, match="does not fit this version"):
            CompleterNet.from_pretrained(folder)

    def test_torn_weights(self, folder: Path) -> None:
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(WeightsError, match="does not fit this version"):
            CompleterNet.from_pretrained(folder)
