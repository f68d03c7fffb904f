"""Tiny checkpoints as the authors of LISA, GLaMM, PixelLM, PSALM and ReLA publish theirs."""

from __future__ import annotations

from pathlib import Path

import official_psalm
import official_rela
import torch
from official_glamm import OfficialGlamm
from official_llava import WIDTH, OfficialLlava
from official_pixellm import OfficialPixellm
from official_psalm import OfficialPsalm
from official_rela import OfficialRela
from official_weights import OfficialSam

__all__ = ["TINY"]


def _lisa(folder: Path) -> str:
    eyes = {"hidden_size": 24, "num_hidden_layers": 3, "image_size": 28}
    made = OfficialLlava(folder, ("[SEG]", "<im_start>", "<im_end>"), eyes)
    sam = OfficialSam(made.weights, "model.visual_model.")
    made.weights.linear("model.mm_projector", torch.zeros(1, eyes["hidden_size"]), WIDTH)
    states = made.weights.linear("model.text_hidden_fcs.0.0", torch.zeros(1, WIDTH), WIDTH)
    prompts = made.weights.linear("model.text_hidden_fcs.0.2", states, sam.channels)
    sam.decode(sam.encode(torch.zeros(1, 3, sam.side, sam.side)), prompts)
    return made.save()


def _glamm(folder: Path) -> str:
    made = OfficialGlamm(folder)
    made.logits([*made.prompt("", ""), made.seg])
    made.region(torch.tensor([0.0, 0.0, 1.0, 1.0]))
    return made.save()


def _pixellm(folder: Path) -> str:
    made = OfficialPixellm(folder)
    made.logits(made.book)
    return made.save(inside="hf_model")


def _psalm(folder: Path) -> str:
    made = OfficialPsalm(folder)
    made.answer("")
    made.save(folder)
    return f"{folder},side={official_psalm.SIDE}"


def _rela(folder: Path) -> str:
    made = OfficialRela(folder)
    made.answer("")
    made.save(folder / "gres.pth")
    return f"{folder / 'gres.pth'},tokenizer={folder / 'bert'},side={official_rela.SIDE}"


TINY = {"lisa": _lisa, "glamm": _glamm, "pixellm": _pixellm, "psalm": _psalm, "rela": _rela}
"""System -> writes random weights into a folder, and returns what `--base` takes."""
