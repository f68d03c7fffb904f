"""Where the embedded model's stages start from: an earlier run, or finished weights."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from askmask.models.embedded.mask_type_net import MaskTypeNet
from askmask.models.embedded.selector_net import SelectorNet
from askmask.training.exported import exported_proposer
from askmask.training.exported_readers import exported_mask_type, exported_selector
from askmask.training.run import load_model

__all__ = ["load_start", "weights_of"]


def _is_run(start: str) -> bool:
    """Whether a start is the folder of a run, not finished weights."""
    return Path(start, "run.json").is_file()


def weights_of(start: str) -> str:
    """Name the finished weights of a start."""
    return str(Path(start, "weights")) if _is_run(start) else start


def load_start(model: nn.Module, start: str, stage: str) -> None:
    """Give the model of a stage what it has learnt before.

    Finished weights hold what answers need: heads that only training has stay as they are.

    Args:
        model: of the stage; of the proposer, the one whose `net` it is.
        start: folder of a run, or name or folder of finished weights.
        stage: its folder in a run.

    Raises:
        ConfigError: when the run has no checkpoint of such a model.
        WeightsError: when there are no such weights, or they are of another network.
    """
    if _is_run(start):
        load_model(model, Path(start) / stage)
    elif isinstance(model, SelectorNet):
        model.load_state_dict(exported_selector(start).state_dict())
    elif isinstance(model, MaskTypeNet):
        model.load_state_dict(exported_mask_type(start).state_dict())
    else:
        model.get_submodule("net").load_state_dict(exported_proposer(start).state_dict())
