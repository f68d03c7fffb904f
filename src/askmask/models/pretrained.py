"""Networks in folders: `config.json` and `model.safetensors`, as Hugging Face's libraries do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from askmask.atomic import staged
from askmask.errors import ConfigError, WeightsError
from askmask.formats.files import read_json, write_json

__all__ = ["Pretrained", "save_state"]

_MAX_CONFIG_BYTES = 100_000


class Configuration(Protocol):
    """The numbers that a network is built from."""

    def to_json(self) -> dict[str, Any]:
        """Plain values, as `from_json` takes them."""
        ...

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read saved values."""
        ...


class Pretrained(nn.Module):
    """Base of networks that can be saved, and read again without knowing their sizes.

    Attributes:
        settings: class of the configuration that a network is built from.
        config: the one of this network.
    """

    settings: ClassVar[type[Configuration]]
    config: Any

    def described(self) -> dict[str, Any]:
        """Plain values from which `of` builds a network of the same sizes."""
        values: dict[str, Any] = self.config.to_json()
        return values

    @classmethod
    def of(cls, described: dict[str, Any]) -> Self:
        """Build a new network."""
        return cls(cls.settings.from_json(described))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the network into `folder`, which is made if it is not there."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "config.json", {"network": type(self).__name__, **self.described()})
        save_state(self, folder / "model.safetensors")

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Read what `save_pretrained` wrote; the network is on the CPU, in evaluation mode.

        Raises:
            WeightsError: when a file is missing, broken, or of another network.
        """
        folder = Path(folder)
        path = folder / "model.safetensors"
        if not path.is_file():
            raise WeightsError(f"{path} is missing; give the folder that save_pretrained wrote")
        described = read_json(folder / "config.json", _MAX_CONFIG_BYTES)
        if (found := described.pop("network", None)) != cls.__name__:
            raise WeightsError(f"{folder}: expected a {cls.__name__}, got {found}")
        try:
            network = cls.of(described)
            network.load_state_dict(load_file(path))
        except (ConfigError, RuntimeError, SafetensorError, TypeError) as error:
            reason = str(error).partition("\n")[0]
            raise WeightsError(f"{folder}: does not fit this version ({reason})") from error
        return network.eval()


def save_state(module: nn.Module, path: Path) -> None:
    """Write parameters and buffers as safetensors, atomically."""
    state = {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
    with staged(path) as draft:
        save_file(state, draft)
