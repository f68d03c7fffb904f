"""Published systems fine-tuned on sentences that ask for visible, complete and hidden shapes.

R2SM (arXiv 2506.01795, appendix A) fine-tunes five of them. Beside a published checkpoint, which is
only named, lie adapters of its language model, if it has some, and all other parts that learnt.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from askmask.errors import ConfigError, WeightsError
from askmask.formats.files import read_json, write_json
from askmask.models.by_name import class_at
from askmask.models.hub.loading import Where
from askmask.models.hub.lora import LoraSettings, add_lora, load_lora, save_lora
from askmask.models.hub.published.segmenter import PublishedSegmenter
from askmask.models.pretrained import save_state
from askmask.models.spec import lacking, parse_source
from askmask.types import Answer, MaskType, Query

__all__ = ["Tuned", "load_tuned"]

_FILE = "tuned.json"
"""By which a folder that `Tuned.save_pretrained` wrote is known."""

_CLASSES = {
    "lisa": "askmask.models.hub.published.tuned_speakers:TunedLisa",
    "glamm": "askmask.models.hub.published.tuned_speakers:TunedGlamm",
    "pixellm": "askmask.models.hub.published.tuned_speakers:TunedPixellm",
    "psalm": "askmask.models.hub.published.tuned_psalm:TunedPsalm",
    "rela": "askmask.models.hub.published.tuned_rela:TunedRela",
}
"""What the file calls a system -> "module:Class"."""

_MAX_BYTES = 100_000


class Tuned(PublishedSegmenter):
    """A published system that draws what the sentence asks for, be it visible or not.

    The other base of a subclass is the published system, whose methods make it see and draw.

    Attributes:
        base: the published checkpoint: a folder, file or hub repository, and options after commas.
    """

    name: ClassVar[str]
    """As in `tuned.json`."""

    adapts: ClassVar[str] = "language"
    """Part of the network that adapters are for; with them, the part itself learns nothing."""

    base: str
    _net: nn.ModuleDict
    _adapted: Any = None

    @classmethod
    def new(cls, base: str, where: Where, lora: LoraSettings) -> Self:
        """Make one that has learnt nothing yet.

        Only adapters and `_learning` parts require gradients; these are in float32.

        Raises:
            ConfigError: for an option that the system lacks, or a language model without the layers
                that adapters are for.
            WeightsError: when files are missing, gated, broken or too large for the memory.
        """
        made = cls._based(base, where)
        made._net.requires_grad_(False)
        if lora.rank:
            made._adapted = add_lora(made._net[cls.adapts], lora)
        made._learnt.float().requires_grad_(True)
        return made

    @classmethod
    def load(cls, source: str, where: Where | None = None, **options: Any) -> Self:
        """Open what `save_pretrained` wrote, and the checkpoint that it names.

        Args:
            source: the folder.
            where: device and precision.
            options: of the published system.

        Raises:
            WeightsError: when files are missing, gated, broken or too large for the memory.
        """
        folder = Path(source)
        told = _told(folder)
        if told["system"] != cls.name:
            raise WeightsError(
                f"{folder / _FILE}: expected the system {cls.name}, got {told['system']}"
            )
        made = cls._based(told["base"], where or Where(), **options)
        made.model_id = source
        if (folder / "adapter").is_dir():
            made._adapted = load_lora(made._net[cls.adapts], folder / "adapter")
        path = folder / "heads.safetensors"
        try:
            made._learnt.load_state_dict(load_file(path))
        except (OSError, RuntimeError, SafetensorError) as error:
            reason = str(error).partition("\n")[0]
            raise WeightsError(f"{path}: does not fit {made.base} ({reason})") from error
        return made

    @classmethod
    def _based(cls, base: str, where: Where, **options: Any) -> Self:
        source, given = parse_source(base, f"base {base!r}")
        make: Any = cls  # the published system takes a checkpoint and a place
        try:
            made: Self = make(source, where, **{**given, **options})
        except TypeError as error:
            if (option := lacking(error, given)) is None:
                raise
            raise ConfigError(f"base {base!r}: {cls.system} has no option {option!r}") from error
        made.base = base
        return made

    def save_pretrained(self, folder: str | Path) -> None:
        """Write what was learnt: `heads.safetensors`, and `adapter/` as peft does.

        Raises:
            OutputError: when it cannot be written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        save_state(self._learnt, folder / "heads.safetensors")
        if self._adapted is not None:
            save_lora(self._adapted, folder / "adapter")
        write_json(folder / _FILE, {"system": self.name, "base": self.base})

    @property
    def network(self) -> nn.Module:
        """Everything that computes, but what is never trained."""
        return self._net

    def answer(self, query: Query | str) -> Answer:
        """Answer one sentence; masks are of the type that it asks for, and no other is known.

        Raises:
            QueryError: when no picture is set, or a reference has another size than the picture.
        """
        asked = Query(query) if isinstance(query, str) else query
        drawn = super().answer(replace(asked, mask_type=MaskType.MODAL))
        types = drawn.mask_type_probability
        mask_type = asked.mask_type or max(types, key=types.__getitem__)
        return replace(drawn, mask_type=mask_type)

    @abstractmethod
    def _learning(self) -> dict[str, nn.Module]:
        """Parts of the network that learn as a whole, by the names that they are saved under."""

    @property
    def _learnt(self) -> nn.ModuleDict:
        """Those of them that are not adapted instead."""
        parts = self._learning()
        if self._adapted is not None:
            parts.pop(self.adapts, None)
        return nn.ModuleDict(parts)


def load_tuned(folder: str, where: Where) -> Tuned:
    """Open a folder that any of the systems wrote; see `Tuned.load`."""
    told = _told(Path(folder))
    if told["system"] not in _CLASSES:
        raise WeightsError(
            f"{Path(folder) / _FILE}: expected one of the systems {', '.join(_CLASSES)}, got "
            f"{told['system']!r}"
        )
    tuned: Tuned = class_at(_CLASSES[told["system"]]).load(folder, where)
    return tuned


def _told(folder: Path) -> dict[str, str]:
    path = folder / _FILE
    if not path.is_file():
        raise WeightsError(f"{path} is missing; give the folder that `askmask train` wrote")
    told = read_json(path, _MAX_BYTES)
    if not isinstance(told, dict) or not all(
        isinstance(told.get(key), str) for key in ("system", "base")
    ):
        raise WeightsError(f"{path}: expected the names of a 'system' and of a checkpoint, 'base'")
    return told
