"""Data sets as collections: their splits, cards, pictures and bad records."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_datasets import REFS, ref, write_refcoco

from askmask.datasets.registry import FORMATS
from askmask.datasets.sources import dataset_sources, read_dataset
from askmask.errors import ConfigError, DataError
from askmask.formats.collection import Options

REFCOCO = FORMATS["refcoco"]


def test_all_splits_come_with_the_card_and_the_folder_of_the_pictures(tmp_path: Path) -> None:
    folder = write_refcoco(tmp_path)
    found = read_dataset(REFCOCO, folder, Options())
    card = REFCOCO.card
    assert (found.name, found.license, found.source) == (card.name, card.licence, card.source)
    numbers = {name: len(split.queries) for name, split in found.splits.items()}
    assert numbers == {"val": 3, "train": 1, "testA": 3}
    assert {split.images for split in found.splits.values()} == {folder}
    assert found.splits["val"].queries[0].text == "the left cup"
    assert found.splits["val"].entities == ()


def test_one_split_and_the_pictures_may_be_named(tmp_path: Path) -> None:
    file = write_refcoco(tmp_path) / "refs(unc).p"
    (split,) = read_dataset(REFCOCO, file, Options(split="testA")).splits.values()
    assert (len(split.queries), split.images) == (3, file.parent)
    named = read_dataset(REFCOCO, file, Options(split="train", images=tmp_path))
    assert named.only().images == tmp_path
    with pytest.raises(ConfigError, match="has the splits val, train, testA, not 'test'"):
        read_dataset(REFCOCO, file, Options(split="test"))


def test_bad_records_stop_the_reading_or_are_told(tmp_path: Path) -> None:
    folder = write_refcoco(tmp_path, [*REFS, ref(5, 99, ["the fork"])])
    with pytest.raises(DataError, match="annotation 99"):
        read_dataset(REFCOCO, folder, Options(split="val"))
    told: list[str] = []
    found = read_dataset(REFCOCO, folder, Options(split="val"), lambda where, _: told.append(where))
    assert len(found.only().queries) == 3
    assert [where.rpartition("/")[2] for where in told] == ["refs(unc).p, item 5"]


def test_the_command_line_knows_all_by_name(tmp_path: Path) -> None:
    folder = write_refcoco(tmp_path)
    sources = dataset_sources()
    assert sources.keys() == FORMATS.keys()
    assert sources["refcoco"](folder, Options()) == read_dataset(REFCOCO, folder, Options())
