"""Mask groups: shares, exact answers, crowds, and what is dropped."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from annotated import SIZE_HW, box, pictured, scattered, thing
from shared_material import SHARED

from askmask import rle
from askmask.authoring.mask_groups import (
    GroupsPlan,
    GroupsReport,
    build_groups,
    build_groups_folder,
    read_annotations,
)
from askmask.errors import ConfigError, DataError, OutputError
from askmask.formats.askmask import EntityRecord, QueryRecord, read_entities, read_queries

PICTURES = 40


@pytest.fixture(scope="module")
def built() -> tuple[list[EntityRecord], list[QueryRecord], GroupsReport]:
    records, report = scattered(PICTURES), GroupsReport()
    return records, list(build_groups(records, GroupsPlan(), report=report)), report


def test_shares_are_kept(built) -> None:
    _, queries, report = built
    assert report.queries == len(queries) > 0.9 * 10 * PICTURES
    assert report.with_references / len(queries) == pytest.approx(0.28, abs=0.01)
    assert report.no_target / len(queries) == pytest.approx(0.05, abs=0.01)
    assert report.with_references == sum(bool(query.references) for query in queries)
    assert report.no_target == sum(not query.targets for query in queries)


def test_all_criteria_come_equally_often(built) -> None:
    _, queries, report = built
    names = {tag for query in queries for tag in query.tags if tag.startswith("criterion:")}
    assert {name.removeprefix("criterion:") for name in names} == set(report.criteria)
    assert len(names) == 5
    assert min(report.criteria.values()) > 0.15 * len(queries)


def test_numbers_in_the_text_are_the_references(built) -> None:
    for query in built[1]:
        named = {int(number) for number in re.findall(r"\[(\d)\]", query.text)}
        assert named == set(range(1, len(query.references) + 1))
        query.to_query()


def test_records_are_valid_and_ids_unique(built) -> None:
    queries = built[1]
    assert len({query.id for query in queries}) == len(queries)
    for query in queries:
        assert QueryRecord.from_json(query.to_json(), "test") == query
    assert queries[0].id == "000#0"


def test_answers_within_a_picture_differ(built) -> None:
    for record in built[0]:
        asked = [
            (frozenset(target.entity for target in query.targets), len(query.references))
            for query in built[1]
            if query.image == record.image and query.targets and not query.references
        ]
        assert len(set(asked)) == len(asked)


def _centres(record: EntityRecord, category: str) -> dict[int, float]:
    return {
        entity.id: float(np.nonzero(rle.decode(entity.modal))[1].mean())
        for entity in record.entities
        if entity.category == category
    }


def test_extremes_and_sides_hold(built) -> None:
    """Judge again, from the text alone, what the generator says of left and right."""
    records = {record.image: record for record in built[0]}
    judged = 0
    for query in built[1]:
        targets = {target.entity for target in query.targets}
        if found := re.search(r"\bthe (left|right)most (dog|cat|person)\b", query.text.lower()):
            centres = _centres(records[query.image], found[2])
            best = (min if found[1] == "left" else max)(centres, key=centres.__getitem__)
            assert targets == {best}, query.text
            judged += 1
        elif found := re.search(
            r"\b(dog|cat|person|people)s? to the (left|right) of \[1\](?! and)", query.text
        ):
            centres = _centres(records[query.image], found[1].replace("people", "person"))
            border = float(np.nonzero(rle.decode(query.references[0]))[1].mean())
            sign = 1 if found[2] == "left" else -1
            assert all(sign * centres[one] < sign * border for one in targets), query.text
            sure = {one for one, x in centres.items() if sign * x < sign * border - 30}
            assert sure & _level(records, query) <= targets, query.text
            judged += 1
    assert judged > 5


def _level(records: dict[str, EntityRecord], query: QueryRecord) -> set[int]:
    """Objects at the height of the reference, for which left and right cannot be in doubt."""
    rows = np.nonzero(rle.decode(query.references[0]))[0]
    return {
        entity.id
        for entity in records[query.image].entities
        if abs(np.nonzero(rle.decode(entity.modal))[0].mean() - rows.mean()) < 10
    }


def test_same_seed_same_queries(built) -> None:
    records, queries, _ = built
    again = list(build_groups(records, GroupsPlan()))
    other = list(build_groups(records, GroupsPlan(seed=1)))
    assert again == queries
    assert [query.text for query in other] != [query.text for query in queries]


def _crowded() -> list[EntityRecord]:
    crowd = thing(9, "dog", (150, 50, 200, 100), crowd=True)
    dogs = [thing(n, "dog", (30 * n, 10, 30 * n + 20, 30 + 5 * n)) for n in (1, 2, 3)]
    return [
        pictured(*dogs, thing(5, "cat", (10, 60, 40, 90)), crowd, image=f"{n}.png")
        for n in range(9)
    ]


def test_a_crowd_is_not_scored_and_nothing_is_counted_or_picked() -> None:
    queries = list(build_groups(_crowded(), GroupsPlan(references=0.5)))
    about_dogs = [query for query in queries if re.search(r"\bdogs?\b", query.text)]
    assert about_dogs
    for query in about_dogs:
        assert query.ignore == box(150, 50, 200, 100), query.text
        assert not re.search(r"most|est\b|three|second|third|both", query.text), query.text
        assert 9 not in {target.entity for target in query.targets}
    assert any(query.ignore is None for query in queries)


def test_pictures_without_objects_give_nothing() -> None:
    assert list(build_groups([pictured()], GroupsPlan())) == []


def test_objects_are_said_only_of_complete_sources() -> None:
    records = scattered(10)
    said = re.compile(r"\bobjects?\b(?! of the same kind)")
    partial = build_groups(records, GroupsPlan(references=0))
    complete = build_groups(records, GroupsPlan(references=0, complete=True))
    assert not any(said.search(query.text) for query in partial)
    assert any(said.search(query.text) for query in complete)


def test_plan_refuses_shares_outside_of_one() -> None:
    with pytest.raises(ConfigError, match=r"shares in \[0, 1\].*1.5"):
        GroupsPlan(references=1.5)


def _coco(folder: Path) -> Path:
    """A COCO file with polygons, both kinds of run lengths and a crowd."""
    height, width = SIZE_HW
    polygon = [10.0, 10.0, 60.0, 10.0, 60.0, 40.0, 10.0, 40.0]
    crowd = {"size": [height, width], "counts": [0, 500, height * width - 500]}
    rows = [
        {"category_id": 1, "segmentation": [polygon]},
        {"category_id": 1, "segmentation": box(100, 20, 130, 60)},
        {"category_id": 2, "segmentation": [[150.0, 50.0, 190.0, 50.0, 170.0, 90.0]]},
        {"category_id": 2, "segmentation": crowd, "iscrowd": 1},
    ]
    content = {
        "images": [{"id": 7, "file_name": "a.png", "height": height, "width": width}],
        "annotations": [
            {"id": n, "image_id": 7, "iscrowd": 0, **row} for n, row in enumerate(rows, 1)
        ],
        "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "person"}],
    }
    path = folder / "instances.json"
    path.write_text(json.dumps(content))
    return path


def test_folder_from_a_coco_file(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    source = _coco(tmp_path / "source")
    out = tmp_path / "out"
    report = build_groups_folder(source, out, plan=GroupsPlan(), split="train")
    queries = list(read_queries(out / "queries-train.jsonl"))
    (record,) = read_entities(out / "entities-train.jsonl")
    assert len(queries) == report.queries > 3
    assert record.image == "../source/a.png"
    assert queries[0].id == "a#0"
    assert [entity.extra for entity in record.entities] == [{}, {}, {}, {"iscrowd": True}]
    assert json.loads((out / "dataset.json").read_text())["splits"]["train"]["images"] == 1
    first = (out / "queries-train.jsonl").read_bytes()
    build_groups_folder(source, out, plan=GroupsPlan(), split="train")
    assert (out / "queries-train.jsonl").read_bytes() == first


def test_folder_from_entity_lines(tmp_path: Path) -> None:
    build_groups_folder(_coco(tmp_path), tmp_path / "one", plan=GroupsPlan())
    source = tmp_path / "one" / "entities-val.jsonl"
    build_groups_folder(source, tmp_path / "two", plan=GroupsPlan())
    names = ["one/queries-val.jsonl", "two/queries-val.jsonl"]
    one, two = (list(read_queries(tmp_path / name)) for name in names)
    assert [query.text for query in one] == [query.text for query in two]
    with pytest.raises(OutputError, match="choose another folder"):
        build_groups_folder(source, tmp_path / "one", plan=GroupsPlan())


def test_nothing_to_ask_for_is_an_error_and_leaves_no_queries(tmp_path: Path) -> None:
    source = tmp_path / "none.json"
    source.write_text(json.dumps({"images": [], "annotations": [], "categories": []}))
    with pytest.raises(DataError, match=r"none\.json.*no objects"):
        build_groups_folder(source, tmp_path / "out", plan=GroupsPlan())
    assert not list((tmp_path / "out").glob("*.jsonl"))


def test_unknown_kind_of_file() -> None:
    with pytest.raises(DataError, match=r"a\.csv: expected a COCO-style \.json"):
        read_annotations(Path("a.csv"))


@pytest.mark.skipif(
    not (SHARED / "real").is_dir(), reason="no real annotations beside the checkout"
)
@pytest.mark.parametrize(
    ("name", "segmentation"),
    [
        ("coco_tiny/instances_train2017.json", "modal"),
        ("cocoa_cls/cocoa_mini_test.json", "amodal"),
    ],
)
def test_real_annotations(name: str, segmentation: str) -> None:
    records = [
        one for one in read_annotations(SHARED / "real" / name, segmentation) if one.entities
    ]
    report = GroupsReport()
    queries = list(build_groups(records[:12], GroupsPlan(), report=report))
    assert len(queries) >= 2 * 12  # COCOA-cls has one or two objects a picture
    assert len(report.criteria) == 5
    for query in queries:
        query.to_query()
