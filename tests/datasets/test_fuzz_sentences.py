"""Readers of sentences and broken files: a record, or a DataError that names the file."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import check_survives, mutated
from test_fuzz_masks import CONTENT
from toy_datasets import (
    GREFS,
    REFS,
    instances,
    muse_item,
    reasonseg_item,
    write_grefcoco,
    write_muse,
    write_reasonseg,
    write_refclef,
    write_refcoco,
)

from askmask.datasets.frame import BadRecords
from askmask.datasets.registry import FORMATS, named


def refclef_file(name: str) -> Callable[[], Any]:
    """Content of a file of RefClef, of which the masks are lists of run lengths."""

    @cache
    def content() -> Any:
        with TemporaryDirectory() as folder:
            data = (write_refclef(Path(folder)) / name).read_bytes()
        return json.loads(data) if name.endswith(".json") else pickle.loads(data)

    return content


REFERS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "refcoco": (write_refcoco, "unc"),
    "refcoco+": (lambda root: write_refcoco(root, name="refcoco+"), "unc"),
    "refcocog": (lambda root: write_refcoco(root, name="refcocog", way="umd"), "umd"),
    "refcocog-google": (lambda root: write_refcoco(root, name="refcocog", way="google"), "google"),
    "refclef": (write_refclef, "unc"),
    "refer": (lambda root: write_refcoco(root, name="mine"), "unc"),
}
"""Format -> writer of a right one, and the way to split."""

FILES: dict[str, tuple[str, Callable[[Path], Path], str, Callable[[], Any]]] = {
    "muse": ("muse", write_muse, "muse_val.json", lambda: [muse_item(), muse_item()]),
    "reasonseg": ("reasonseg", write_reasonseg, "val/1_o.json", reasonseg_item),
    "grefcoco": ("grefcoco", write_grefcoco, "grefs(unc).json", lambda: GREFS),
    "grefcoco masks": ("grefcoco", write_grefcoco, "instances.json", instances),
    "grefcoco pickle": (
        "grefcoco",
        lambda root: write_grefcoco(root, suffix="p"),
        "grefs(unc).p",
        lambda: GREFS,
    ),
}
for _name, (_write, _way) in REFERS.items():
    _clef = _name == "refclef"
    _refs = refclef_file("refs(unc).p") if _clef else lambda: REFS
    _masks = refclef_file("instances.json") if _clef else instances
    FILES[f"{_name} refs"] = (_name, _write, f"refs({_way}).p", _refs)
    FILES[f"{_name} masks"] = (_name, _write, "instances.json", _masks)


def as_bytes(text: str, file: str, protocol: int) -> bytes:
    """The text, or where it is whole and a pickle is asked for, that."""
    if file.endswith(".p"):
        try:
            return pickle.dumps(json.loads(text), protocol)
        except ValueError:
            return pickle.dumps(text, protocol)[:-3]
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("kind", FILES)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), protocol=st.integers(0, 2))
def test_mutations_give_records_or_data_errors(
    kind: str, data: st.DataObject, protocol: int, tmp_path: Path
) -> None:
    name, write, file, content = FILES[kind]
    path = write(tmp_path)
    (path / file).write_bytes(as_bytes(data.draw(mutated(content())), file, protocol))
    check_survives(named(name), path)


@pytest.mark.parametrize("kind", FILES)
def test_what_is_mutated_is_right_at_first(kind: str, tmp_path: Path) -> None:
    name, write, file, content = FILES[kind]
    path = write(tmp_path)
    (path / file).write_bytes(as_bytes(json.dumps(content()), file, 2))
    assert named(name).recognises(path)
    reader = named(name).queries
    assert reader is not None
    check_survives(named(name), path)
    assert any(list(reader(path, split, None, BadRecords())) for split in named(name).splits(path))


def test_every_reader_is_fuzzed() -> None:
    elsewhere = {"askmask", "r2sm"}  # test_askmask_folder.py and test_r2sm_release.py
    fuzzed = {row[0] for row in FILES.values()} | {row[0] for row in CONTENT.values()}
    assert fuzzed | elsewhere == set(FORMATS)
