"""Cards are complete, guesses never fail, and errors say what was tried."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_datasets import write_grefcoco, write_muse, write_reasonseg, write_refcoco

from askmask.datasets.frame import BadRecords, peek
from askmask.datasets.registry import FORMATS, named, recognise
from askmask.errors import ConfigError, DataError

NOUNS = {"images", "queries", "refs", "instances", "targets", "no_target"}
NAMES = ("a.json", "refs(unc).p", "grefs(unc).json", "muse_val.json", "val/a.json", "x")


@pytest.mark.parametrize("name", FORMATS)
def test_cards_are_complete(name: str) -> None:
    one = FORMATS[name]
    assert one.name == one.card.name == name
    assert all((one.card.title, one.card.source, one.card.licence, one.card.obtain))
    assert one.queries is not None or one.entities is not None
    for counts in one.card.splits.values():
        assert set(counts) <= NOUNS
        assert all(number > 0 for number in counts.values())


@pytest.mark.parametrize("name", FORMATS)
def test_guesses_of_odd_paths_do_not_fail(name: str, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", tmp_path / ("x" * 5_000), Path("a\0b")):
        assert FORMATS[name].recognises(path) is False


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=st.binary(max_size=30), name=st.sampled_from(NAMES))
def test_guesses_of_any_file_do_not_fail(content: bytes, name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    for path in (file, file.parent, tmp_path):
        for one in FORMATS.values():
            assert one.recognises(path) in (True, False)


def test_only_one_format_recognises_a_toy(tmp_path: Path) -> None:
    for write in (write_refcoco, write_grefcoco, write_reasonseg, write_muse):
        folder = write(tmp_path)
        takers = [one.name for one in FORMATS.values() if one.recognises(folder)]
        assert takers == [recognise(folder).name]


def test_names_that_are_not_known_get_the_nearest() -> None:
    assert named("refcoco+") is FORMATS["refcoco+"]
    with pytest.raises(ConfigError, match="did you mean grefcoco"):
        named("grefcocoo")
    with pytest.raises(ConfigError, match="expected one of refcoco, "):
        named("zzz")


def test_bad_records_stop_or_are_listed(tmp_path: Path) -> None:
    error = DataError("file, item 3: expected better")
    with pytest.raises(DataError, match="expected better"):
        BadRecords().bad("file, item 3", error)
    bad = BadRecords(skip=True)
    bad.bad("file, item 3", error)
    bad.write(tmp_path / "errors.jsonl")
    line = (tmp_path / "errors.jsonl").read_text()
    assert line == '{"where": "file, item 3", "error": "file, item 3: expected better"}\n'


def test_both_ends_of_a_file_are_peeked_at(tmp_path: Path) -> None:
    file = tmp_path / "long"
    file.write_bytes(b"start" + b" " * 300_000 + b"end")
    assert peek(file).startswith(b"start")
    assert peek(file).endswith(b"end")
    file.write_bytes(b"short")
    assert peek(file) == b"short"
    assert peek(tmp_path) == peek(tmp_path / "none") == b""


def test_the_docs_name_every_format_and_its_counts() -> None:
    page = Path(__file__).parents[2] / "docs/datasets.md"
    if not page.is_file():
        pytest.skip("not a checkout of the repository")
    text = page.read_text(encoding="utf-8")
    for one in FORMATS.values():
        assert f"`{one.name}`" in text
    for name in ("refcoco", "refcoco+", "refcocog"):
        for split, counts in FORMATS[name].card.splits.items():
            assert f"{split} {counts['images']:,} / {counts['queries']:,}" in text
