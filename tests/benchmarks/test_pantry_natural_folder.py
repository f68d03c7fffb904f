"""The shipped benchmark keeps what its card promises."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from askmask.formats.askmask import (
    EntityRecord,
    QueryRecord,
    read_dataset_json,
    read_entities,
    read_queries,
)
from askmask.formats.files import file_sha256
from askmask.types import MaskType

FOLDER = Path(__file__).parents[2] / "benchmarks" / "pantry-natural"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="not a checkout of the repository")


@pytest.fixture(scope="module")
def queries() -> list[QueryRecord]:
    return list(read_queries(FOLDER / "queries.jsonl"))


@pytest.fixture(scope="module")
def scenes() -> dict[str, EntityRecord]:
    return {record.image: record for record in read_entities(FOLDER / "entities.jsonl")}


def part_of(image: str) -> str:
    """The card's rule."""
    return "test" if int(hashlib.sha256(image.encode()).hexdigest(), 16) % 3 == 0 else "learn"


def test_part_tags_follow_the_hash(queries: list[QueryRecord]) -> None:
    parts = {query.id: [tag for tag in query.tags if tag.startswith("part:")] for query in queries}
    assert parts == {query.id: [f"part:{part_of(query.image)}"] for query in queries}
    assert sum(tags == ["part:test"] for tags in parts.values()) == 550


def test_every_record_can_be_asked_and_names_its_entities(
    queries: list[QueryRecord], scenes: dict[str, EntityRecord]
) -> None:
    assert (len(queries), len(scenes)) == (1620, 162)
    for query in queries:
        query.to_query()
        entities = {entity.id: entity for entity in scenes[query.image].entities}
        for target in query.targets:
            entity = entities[target.entity]
            assert (target.category, target.modal) == (entity.category, entity.modal)
            if query.mask_type is not MaskType.HIDDEN:
                wanted = entity.modal if query.mask_type == MaskType.MODAL else entity.amodal
                assert target.segmentation == wanted, query.id


def test_twins_share_their_targets(queries: list[QueryRecord]) -> None:
    by_id = {query.id: query for query in queries}
    twins = [
        (query, by_id[tag.removeprefix("twin:")])
        for query in queries
        for tag in query.tags
        if tag.startswith("twin:")
    ]
    assert len(twins) == 162
    for one, other in twins:
        assert [target.entity for target in one.targets] == [
            target.entity for target in other.targets
        ]
        assert {one.mask_type, other.mask_type} == {MaskType.MODAL, MaskType.AMODAL}


def test_files_are_those_of_the_card() -> None:
    card = read_dataset_json(FOLDER)
    assert card["splits"] == {"all": {"images": 162, "queries": 1620}}
    assert card["sha256"] == {
        path.relative_to(FOLDER).as_posix(): file_sha256(path)
        for path in [*FOLDER.glob("*.jsonl"), *FOLDER.glob("images/*")]
    }


def test_the_data_card_counts_right(queries: list[QueryRecord]) -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    row = re.search(r"^\| all \|(.*)\|$", text, re.M)
    assert row is not None
    counts = [int(cell.replace(",", "")) for cell in row[1].split("|")]
    types = [query.mask_type for query in queries]
    assert counts[2:5] == [types.count(kind) for kind in ("modal", "amodal", "hidden")]
    assert counts[5] == sum(not query.targets for query in queries)
    assert counts[6] == sum(bool(query.references) for query in queries)
