"""Assets: the catalogue, the store on disk, credits, and what is held out."""

import json
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from askmask.errors import DataError
from askmask.pantry import language
from askmask.pantry.language.banks import noun_entries
from askmask.pantry.objects.asset import OWN, Source, measured
from askmask.pantry.objects.attribution import attribution
from askmask.pantry.objects.groceries import DESIGNS, Recipe, groceries
from askmask.pantry.objects.household import household_things
from askmask.pantry.objects.store import AssetStore, write_store
from askmask.pantry.render.shapes import Part, flat, lathe
from askmask.pantry.splits.held_out import held_out

pytest.importorskip("scipy")

DATA = Path(language.__file__).parent / "data"
SHAPES = ("box", "cylinder", "ball", "disc", "bowl", "cone", "ring", "stick", "sheet")
SHAPES += ("bottle-like", "irregular")


def pin(radius=0.02, height=0.1):
    return [Part(lathe([(0, 0), (radius, 0), (radius, height), (0, height)]), flat((9, 99, 199)))]


def recipe(look, source=OWN, category="comb"):
    return Recipe(look, category, "none", "stick", "plastic", pin, source)


def test_measures_and_footprint_are_those_of_the_parts():
    asset = measured(pin(), "pin/0", "comb", "none", "stick", "plastic")
    assert asset.size_m == pytest.approx((0.04, 0.04, 0.1), abs=1e-6)
    x, y = asset.footprint.T
    area = (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2  # positive: anticlockwise
    assert area == pytest.approx(np.pi * 0.02**2, rel=0.01)


def test_the_store_reads_back_what_was_written(tmp_path):
    seen = []
    written = write_store(tmp_path, [recipe("a/0"), recipe("b/1")], seen.append)
    store = AssetStore(tmp_path)
    assert seen == [1, 2]
    assert [asset.look for asset in store.assets] == ["a/0", "b/1"]
    assert store.assets[0].hull == pytest.approx(written.assets[0].hull)
    (part,), (made,) = store.parts(store.assets[1]), pin()
    assert part.mesh.vertices == pytest.approx(made.mesh.vertices, abs=1e-7)
    assert np.array_equal(part.mesh.faces, made.mesh.faces)
    assert np.array_equal(part.finish.texture, made.finish.texture)
    assert part.finish.roughness == made.finish.roughness


def test_the_same_recipes_give_the_same_bytes(tmp_path):
    one, two = (write_store(tmp_path / name, [recipe("a/0")]) for name in "ab")
    assert one.digest == two.digest
    model = "models/a-0.npz"
    assert (tmp_path / "a" / model).read_bytes() == (tmp_path / "b" / model).read_bytes()


def test_a_missing_or_foreign_store_is_said(tmp_path):
    with pytest.raises(DataError, match="askmask build objects"):
        AssetStore(tmp_path)
    (tmp_path / "objects.json").write_text('{"format": "other/1"}')
    with pytest.raises(DataError, match="expected format askmask-objects/1"):
        AssetStore(tmp_path)
    store = write_store(tmp_path, [recipe("a/0")])
    (tmp_path / "models" / "a-0.npz").write_bytes(b"cut")
    with pytest.raises(DataError, match=r"a-0\.npz: cannot read"):
        store.parts(store.assets[0])


def test_everybody_else_is_credited():
    other = Source("Scopia", "Tea|pot", "Ada & Co", "CC-BY-3.0")
    assets = [
        measured(pin(), look, "comb", "none", "stick", "plastic", source)
        for look, source in (("own/0", OWN), ("Scopia/teapot", other))
    ]
    page = attribution(assets)
    credit = "[CC-BY-3.0](https://creativecommons.org/licenses/by/3.0/)"
    assert f"| Scopia/teapot | Tea/pot | Ada & Co | {credit} |" in page
    assert "own/0" not in page


def test_household_things_use_known_words():
    nouns = noun_entries()
    materials = {}
    for name in ("nouns.jsonl", "nouns_extra.jsonl"):
        for line in (DATA / name).read_text("utf-8").splitlines():
            materials[json.loads(line)["noun"]] = json.loads(line)["materials"]
    things = household_things()
    assert len(things) == len({thing.look for thing in things}) >= 175
    for thing in things:
        assert thing.noun in nouns, thing.look
        assert thing.material in materials[thing.noun], thing.look
        assert thing.shape in SHAPES, thing.look
        assert 0.2 < thing.scale <= 1, thing.look


def test_groceries_have_four_designs_each():
    recipes = list(groceries())
    counts = Counter(item.category for item in recipes)
    assert set(counts.values()) == {DESIGNS}
    assert len(recipes) >= 150
    produce = {item.category for item in recipes if item.material == "food"}
    assert len(produce) >= 14
    assert set(counts) <= set(noun_entries())


def test_the_fourth_design_differs_from_the_others():
    prints = [item.make()[1].finish.texture for item in islice(groceries(), 4)]
    grounds = {tuple(np.median(image.reshape(-1, 3), axis=0)) for image in prints}
    assert len(grounds) == 4


def test_what_is_held_out_exists_and_leaves_enough():
    out = held_out()
    things = household_things()
    looks, nouns = {thing.look for thing in things}, {thing.noun for thing in things}
    own = {item.category for item in groceries()}
    assert out.models <= looks
    assert out.nouns <= nouns
    assert not out.nouns & own  # packages and produce are all in the sprites of training
    trained = {t.noun for t in things if t.noun not in out.nouns and t.look not in out.models} | own
    for thing in things:
        if thing.look in out.models:
            assert thing.noun in trained, "a held-out look of a noun that training never sees"
    assert len(out.nouns) >= 25
    assert not any(look.rpartition("/")[2].isdigit() for look in looks), "own designs have numbers"
