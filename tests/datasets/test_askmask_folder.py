"""askmask's own folders as data sets, and that no reader opens an archive."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import check_survives, mutated
from shared_material import BENCHMARKS
from toy_scene import MODAL, code

import askmask.datasets
from askmask.datasets.frame import BadRecords
from askmask.datasets.registry import named, recognise
from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import write_dataset_json

ENTITIES = {
    "image": "images/a.png",
    "height": 40,
    "width": 60,
    "entities": [{"id": 1, "category": "cup", "modal": code(MODAL["cup"])}],
}
QUERY = {
    "id": "a#0",
    "image": "images/a.png",
    "height": 40,
    "width": 60,
    "text": "the cup",
    "targets": [{"segmentation": code(MODAL["cup"]), "entity": 1}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = (("entities-val", [ENTITIES]), ("queries-val", [QUERY, {**QUERY, "id": "a#1"}]))
    for name, records in (*lines, ("queries-test", [QUERY])):
        text = "".join(json.dumps(record) + "\n" for record in records)
        (tmp_path / f"{name}.jsonl").write_text(text)
    write_dataset_json(tmp_path, name="toy", license="CC0", source="made up")
    return tmp_path


def test_a_folder_has_its_splits_counts_and_records(folder: Path) -> None:
    found = recognise(folder)
    assert (found.name, found.splits(folder)) == ("askmask", ["val", "test"])
    assert found.counts is not None
    assert found.queries is not None
    assert found.entities is not None
    assert found.counts(folder, BadRecords()) == {
        "val": {"images": 1, "queries": 2, "instances": 1},
        "test": {"images": 1, "queries": 1},
    }
    assert [one.id for one in found.queries(folder, "val", None, BadRecords())] == ["a#0", "a#1"]
    assert len(list(found.entities(folder, "val", None, BadRecords()))) == 1
    assert list(found.entities(folder, "test", None, BadRecords())) == []
    with pytest.raises(ConfigError, match="split 'train' is not there; expected val, test"):
        list(found.queries(folder, "train", None, BadRecords()))


@pytest.mark.parametrize(("name", "split"), [("queries-val", "val"), ("mine", "all")])
def test_a_file_alone_is_read_too(name: str, split: str, folder: Path) -> None:
    path = (folder / "queries-val.jsonl").rename(folder / f"{name}.jsonl")
    found = recognise(path)
    assert (found.name, found.splits(path)) == ("askmask", [split])
    assert found.queries is not None
    assert len(list(found.queries(path, split, None, BadRecords()))) == 2


def test_bad_lines_are_named_and_the_rest_is_read(folder: Path) -> None:
    path = folder / "queries-val.jsonl"
    twice = json.dumps(QUERY)
    broken = json.dumps({**QUERY, "id": "b", "height": -1})
    path.write_text(f'{path.read_text()}{{"id": \n{twice}\n{broken}\n[1]\n')
    reader, bad = named("askmask").queries, BadRecords(skip=True)
    assert reader is not None
    with pytest.raises(DataError, match=r"queries-val\.jsonl:3: expected JSON"):
        list(reader(folder, "val", None, BadRecords()))
    assert len(list(reader(folder, "val", None, bad))) == 2
    assert [one["where"].rpartition(":")[2] for one in bad.listed] == ["3", "4", "5", "6"]
    assert "'a#0' is already in line 1" in bad.listed[1]["error"]
    assert "key 'height'" in bad.listed[2]["error"]


def test_claims_of_dataset_json_are_checked(folder: Path) -> None:
    claims = named("askmask").claims
    assert claims is not None
    assert list(claims(folder, "val", None)) == []
    path = folder / "queries-val.jsonl"
    path.write_text(path.read_text() + json.dumps({**QUERY, "id": "c"}) + "\n")
    number, digest = claims(folder, "val", None)
    assert number.endswith("dataset.json: split val has 3 queries, not 2")
    assert "SHA-256" in digest


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.name)
def test_benchmarks_are_recognised_and_keep_their_claims(path: Path) -> None:
    found = recognise(path)
    assert found.name == "askmask"
    assert found.claims is not None
    for split in found.splits(path):
        assert list(found.claims(path, split, None)) == []


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutations_give_records_or_data_errors(data: st.DataObject, tmp_path: Path) -> None:
    for name, record in (("queries", QUERY), ("entities", ENTITIES)):
        path = tmp_path / f"{name}-val.jsonl"
        path.write_text(f"{json.dumps(record)}\n{data.draw(mutated(record))}\n")
        check_survives(named("askmask"), path)


def archives(source: str) -> list[str]:
    """Modules that open archives, or can, among the imports of `source`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).partition(".")[0])
    return sorted(names & {"zipfile", "tarfile", "shutil", "gzip", "bz2", "lzma", "zipimport"})


def test_no_reader_opens_an_archive_so_that_none_can_write_outside() -> None:
    files = sorted(Path(str(askmask.datasets.__file__)).parent.rglob("*.py"))
    assert len(files) > 15
    assert {path.name: archives(path.read_text()) for path in files} == {
        path.name: [] for path in files
    }
    assert archives("import zipfile\nfrom tarfile import open\nimport json") == [
        "tarfile",
        "zipfile",
    ]
