"""Mask groups of data sets whose annotation is not all there is: LVIS and COCOA."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from annotated import SIZE_HW, box, pictured, scattered, thing
from shared_material import SHARED

from askmask.authoring.groups.criteria import Criterion, UnclearError, draw
from askmask.authoring.groups.picture import Picture
from askmask.authoring.lexicon import class_of
from askmask.authoring.mask_groups import GroupsPlan, GroupsReport, build_groups, read_annotations
from askmask.datasets.coco import read_coco
from askmask.formats.askmask import Entity, EntityRecord
from askmask.pantry.language.truth import FALSE, TRUE, UNCLEAR

NATIVE = SHARED / "real/cocoa_native"


def test_categories_of_which_objects_may_be_missing_are_never_asked_for() -> None:
    records = [
        EntityRecord(
            one.image, *SIZE_HW, one.entities, {"absent": ["zebra"], "incomplete": ["dog"]}
        )
        for one in scattered(20)
    ]
    report = GroupsReport()
    queries = list(build_groups(records, GroupsPlan(), report=report))
    assert len(queries) > 100
    for query in queries:
        assert "dog" not in query.text.lower()
    assert any("zebra" in query.text.lower() for query in queries)
    assert report.unclear


def test_a_noun_whose_objects_may_be_missing_is_unclear() -> None:
    two = (thing(1, "dog", (10, 10, 40, 40)), thing(2, "dog", (60, 10, 90, 40)))
    record = EntityRecord("a.png", *SIZE_HW, two, {"incomplete": ["dog"]})
    picture, drawn = Picture(record), Counter[str]()
    for criterion in (Criterion.CATEGORY, Criterion.LOCATION, Criterion.RELATION):
        for seed in range(8):
            rng = np.random.default_rng(seed)
            try:
                group = draw(picture, criterion, rng, referring=bool(seed % 2))
            except UnclearError:
                drawn["unclear"] += 1
            else:
                drawn["nothing" if group is None else group.phrase] += 1
    assert set(drawn) == {"unclear", "nothing"}
    assert drawn["unclear"] > 6
    assert Picture(record, ["cat"]).others == ["cat"]
    assert Picture(EntityRecord("a.png", *SIZE_HW, two, {"absent": []}), ["cat"]).others == []


def test_freely_named_objects_are_kept_apart_only_where_names_tell() -> None:
    names = ("doughnut", "dougnut", "man", "women", "shot glass", "wine glass", "chair", "chairs")
    picture = Picture(
        pictured(*(thing(n, name, (n * 20, 10, n * 20 + 15, 30)) for n, name in enumerate(names)))
    )
    for asked, unclear in (
        ("doughnut", {"dougnut"}),
        ("man", {"women"}),
        ("wine glass", set()),
        ("glass", {"shot glass", "wine glass"}),
        ("chair", {"chairs"}),
        ("cat", set()),
    ):
        truth = dict(zip(names, picture.of_category(asked), strict=True))
        assert {name for name, value in truth.items() if value == UNCLEAR} == unclear
        assert {name for name, value in truth.items() if value == TRUE} == {asked} & {*names}
        assert set(truth.values()) <= {TRUE, FALSE, UNCLEAR}


def test_stuff_is_no_object() -> None:
    grass = Entity(9, "grass", box(0, 50, 200, 100), extra={"is_stuff": True})
    picture = Picture(pictured(thing(1, "dog", (10, 10, 40, 40)), grass))
    assert [one.category for one in picture.objects] == ["dog"]
    assert picture.crowds == ()


def lvis_file(folder: Path) -> Path:
    """Three pictures of dogs and a cat; in the second, dogs may be missing."""
    images, annotations = [], []
    for number in range(3):
        url = f"http://images.cocodataset.org/val2017/{number:012}.jpg"
        image = {"id": number, "coco_url": url, "height": 100, "width": 200}
        incomplete = [1] if number == 1 else []
        images.append({**image, "neg_category_ids": [3], "not_exhaustive_category_ids": incomplete})
        for place, category in enumerate((1, 1, 2)):
            x = 10 + 60 * place
            corners = [x, 10, x + 30, 10, x + 30, 60, x, 60]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": category,
                    "segmentation": [corners],
                }
            )
    categories = [
        {"id": number, "name": name, "synset": f"{name}.n.01"}
        for number, name in enumerate(("dog", "cat", "teapot"), 1)
    ]
    path = folder / "lvis_v1_val.json"
    content = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(content))
    return path


def test_groups_of_lvis_keep_to_what_was_searched_for(tmp_path: Path) -> None:
    records = list(read_annotations(lvis_file(tmp_path)))
    assert records[0].image == "val2017/000000000000.jpg"
    queries = list(build_groups(records, GroupsPlan(no_target=0.3)))
    assert {query.image[-5] for query in queries if "dog" in query.text.lower()} == {"0", "2"}
    assert any("teapot" in query.text.lower() for query in queries)


@pytest.mark.skipif(not NATIVE.is_dir(), reason="no real annotations beside the checkout")
def test_groups_of_real_cocoa() -> None:
    records = [one for path in sorted(NATIVE.glob("*.json")) for one in read_annotations(path)]
    queries = list(build_groups(records, GroupsPlan(per_image=5)))
    assert len(queries) >= 8
    for query in queries:
        query.to_query()
        assert not any(target.category == "stuff" for target in query.targets)


@pytest.mark.skipif(not (SHARED / "real").is_dir(), reason="no real annotations")
def test_the_categories_of_coco_stay_apart() -> None:
    path = SHARED / "real/coco_tiny/instances_train2017.json"
    assert sum(1 for _ in read_coco(path)) == 50
    names = [one["name"] for one in json.loads(path.read_text())["categories"]]
    assert len({class_of(name) for name in names}) == len(names) == 80
