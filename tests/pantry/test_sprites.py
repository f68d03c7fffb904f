import json
from importlib import resources

import numpy as np
import pytest
from PIL import Image

from askmask.errors import DataError
from askmask.pantry.colours import COLOURS, colour_shares
from askmask.pantry.sprites import SpriteBank


@pytest.fixture(scope="module")
def bank():
    return SpriteBank.load()


def nouns():
    folder = resources.files("askmask.pantry.language") / "data"
    for name in ("nouns.jsonl", "nouns_extra.jsonl"):
        for line in (folder / name).read_text("utf-8").splitlines():
            yield json.loads(line)["noun"]


def test_loads_once(bank):
    assert SpriteBank.load() is bank


def test_holds_the_promised_variety(bank):
    packaged = {look.category for look in bank.looks if look.container != "none"}
    fresh = {look.category for look in bank.looks if look.container == "none"}
    assert len(packaged) >= 60
    assert len(fresh) == 14
    assert len(bank.looks) == 3 * (len(packaged) + len(fresh))
    assert len({look.look for look in bank.looks}) == len(bank.looks)


def test_every_category_is_in_the_noun_bank(bank):
    assert {look.category for look in bank.looks} <= set(nouns())


def test_fits_the_size_budget(bank):
    assert sum(path.stat().st_size for path in bank.folder.iterdir()) <= 12_000_000


def test_every_sheet_is_there_and_has_a_cell_a_view(bank):
    for look in bank.looks:
        path = bank.folder / (look.look.replace("/", "-") + ".webp")
        with Image.open(path) as sheet:
            assert sheet.size[0] * sheet.size[1] == len(look.views) * bank.cell**2, path.name
    assert len(list(bank.folder.glob("*.webp"))) == len(bank.looks)


def test_measures_are_plausible(bank):
    for look in bank.looks:
        assert all(0.01 < side < 0.4 for side in look.size_m), look.look
        assert {view.elevation for view in look.views} == {12, 28, 50}
        for view in look.views:
            assert 0 < view.base_xy[0] < 1
            assert 0.4 < view.base_xy[1] < 1
            assert max(view.extent_m) <= np.hypot(*look.size_m[:2]) + 1e-3
            assert view.extent_m[0] < view.metres
            assert set(view.colours) <= set(COLOURS)
            assert 0.9 < sum(view.colours.values()) <= 1.005


def test_designs_of_a_product_differ_in_colour(bank):
    def main_colours(look):
        return [max(view.colours, key=view.colours.get) for view in look.views]

    different = 0
    for first, second in zip(bank.looks[::3], bank.looks[1::3], strict=True):
        assert first.category == second.category
        different += main_colours(first) != main_colours(second)
    assert different > 0.7 * len(bank.looks) / 3


@pytest.mark.parametrize("place", [0, 100, -1])
def test_pixels_match_the_record(bank, place):
    look = bank.looks[place]
    for index, view in enumerate(look.views):
        cell = bank.pixels(look, index)
        assert cell.shape == (bank.cell, bank.cell, 4)
        opaque = cell[..., 3] > 200
        assert 0.03 < opaque.mean() < 0.98
        shares = colour_shares(cell[opaque][:, :3])
        for name, share in view.colours.items():
            assert shares[name] == pytest.approx(share, abs=0.02)


def test_objects_fill_their_cells_without_being_cut(bank):
    for look in bank.looks[::20]:
        alpha = np.stack([bank.pixels(look, i)[..., 3] for i in range(len(look.views))]) > 127
        assert not alpha[:, [0, -1]].any()
        assert not alpha[:, :, [0, -1]].any()
        spread = np.maximum(alpha.any(1).sum(1), alpha.any(2).sum(1))
        assert spread.min() > 0.65 * bank.cell


def test_colour_continues_under_the_transparent_edge(bank):
    """A dark or white fringe would show when a sprite is scaled over another ground."""
    for look in bank.looks[::40]:
        cell = bank.pixels(look, 0).astype(int)
        alpha = cell[..., 3] > 200
        edge = alpha & ~np.roll(alpha, -1, 1)
        rows, columns = np.nonzero(edge)
        outside = cell[rows, columns + 2, :3]
        assert np.abs(outside - cell[rows, columns, :3]).mean() < 30, look.look


def test_names_and_looks_give_the_same_pixels(bank):
    look = bank.looks[3]
    assert np.array_equal(bank.pixels(look, 2), bank.pixels(look.look, 2))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read the sprite bank"),
        ("{", "not a sprite bank"),
        ('{"format": "other"}', "expected format askmask-sprites/1, got 'other'"),
        ('{"format": "askmask-sprites/1", "cell": 8, "looks": [{}]}', "not a sprite bank"),
    ],
)
def test_refuses_what_is_not_a_bank(tmp_path, content, message):
    if content is not None:
        (tmp_path / "bank.json").write_text(content)
    with pytest.raises(DataError, match=message):
        SpriteBank(tmp_path)
