"""Scenes of a split from the sprite bank: they need no renderer, but have a single camera."""

from __future__ import annotations

from copy import copy

from askmask.errors import ConfigError
from askmask.pantry.compose import ComposeSettings, compose
from askmask.pantry.scene import Scene
from askmask.pantry.splits.build import SceneMaker
from askmask.pantry.splits.definition import Cast, Split
from askmask.pantry.splits.held_out import HeldOut, held_out
from askmask.pantry.sprites import SpriteBank

__all__ = ["SETTINGS", "bank_of", "compositor"]

SETTINGS = ComposeSettings(objects=(6, 12), repeats=0.9)
"""More things of a kind than in training scenes: a question needs something to tell apart."""


def bank_of(cast: Cast, bank: SpriteBank | None = None, out: HeldOut | None = None) -> SpriteBank:
    """The looks of a cast; "seen" is the bank to train with.

    Args:
        cast: which looks.
        bank: whole bank; None for the one that ships.
        out: what is held out; None for the list that ships.
    """
    bank, out = bank or SpriteBank.load(), out or held_out()
    part = copy(bank)  # shares the decoded sheets
    part.looks = tuple(look for look in bank.looks if out.cast_of(look.look, look.category) == cast)
    return part


def compositor(split: Split, size_hw: tuple[int, int] = (480, 640)) -> SceneMaker:
    """Make the maker of a split's scenes.

    Raises:
        ConfigError: when the split needs another camera.
    """
    if split.view != 0:
        raise ConfigError(
            f"split {split.name}: expected camera 0, got {split.view}; sprites stand before a "
            "single camera, make this split with the renderer"
        )
    bank = bank_of(split.cast)

    def make(seed: int) -> Scene:
        return compose(bank, seed, size_hw, SETTINGS)

    return make
