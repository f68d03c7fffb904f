"""The completer that ships: intact, small, and better than doing nothing or the convex hull."""

from __future__ import annotations

import numpy as np
import pytest

import askmask
from askmask.models.completer.baselines import HullCompleter
from askmask.models.completer.weights import FILES, CompleterWeights
from askmask.models.completion import DEFAULT_COMPLETER, MaskCompleter

pytest.importorskip("cv2")

from askmask.metrics.completion import completion_terms, judge_guess
from askmask.pantry.compose import compose
from askmask.pantry.sprites import SpriteBank


def test_the_shipped_files_are_whole_and_small_and_the_card_names_their_hash() -> None:
    weights = CompleterWeights(DEFAULT_COMPLETER)
    weights.verify()
    assert sum((weights.folder / name).stat().st_size for name in FILES) < 3e6
    assert weights.sha256 in (weights.folder / "README.md").read_text()


def test_it_guesses_hidden_parts_of_unseen_scenes_and_leaves_whole_things_alone() -> None:
    scenes = [compose(SpriteBank.load(), seed) for seed in range(710_000, 710_010)]

    def figures(completer: MaskCompleter) -> dict[str, float]:
        found = []
        for number, scene in enumerate(scenes):
            modal = np.stack([item.modal for item in scene.objects])
            done = completer.complete_masks(scene.image, modal)
            for item, guess, sure in zip(scene.objects, done.amodal, done.confidence, strict=True):
                found.append(judge_guess(number, item.modal, item.amodal, guess, float(sure)))
        return {name: terms.value for name, terms in completion_terms(found).items()}

    ours, hull = figures(askmask.load_completer()), figures(HullCompleter())
    assert ours["hidden-IoU"] > max(0.4, hull["hidden-IoU"])
    assert ours["amodal-IoU"] > hull["amodal-IoU"]
    assert ours["added-to-whole"] < 0.1
    assert ours["confidence-error"] < 0.15
