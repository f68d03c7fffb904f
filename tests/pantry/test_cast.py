from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fake_bank import FakeBank
from hypothesis import given
from hypothesis import strategies as st

from askmask.pantry.cast import ComposeSettings, choose_cast, look_size

BANK: Any = FakeBank()
SEEDS = st.integers(0, 10_000)


@given(SEEDS)
def test_cast_is_of_like_size(seed: int) -> None:
    settings = ComposeSettings(sizes=(0.9, 1.2))
    sizes = [look_size(look) for look in choose_cast(BANK, np.random.default_rng(seed), settings)]
    assert max(sizes) <= min(sizes) * 1.2 / 0.9 + 1e-9


@given(SEEDS)
def test_cast_without_repeats_has_different_categories(seed: int) -> None:
    settings = ComposeSettings(objects=(4, 6), repeats=0.0, sizes=(0, 10))
    cast = choose_cast(BANK, np.random.default_rng(seed), settings)
    assert 4 <= len(cast) <= 6
    assert len({look.category for look in cast}) == len(cast)


@given(SEEDS)
def test_repeats_share_a_look_a_category_or_a_container(seed: int) -> None:
    settings = ComposeSettings(objects=(4, 6), repeats=1.0, sizes=(0, 10))
    cast = choose_cast(BANK, np.random.default_rng(seed), settings)
    pairs = [(a, b) for i, a in enumerate(cast) for b in cast[:i]]
    assert any(a.category == b.category or a.container == b.container for a, b in pairs)


def test_size_is_the_mean_of_the_longer_sides() -> None:
    look = BANK.looks[0]
    assert look_size(look) == pytest.approx(np.mean(np.sort(look.size_m)[1:]))
