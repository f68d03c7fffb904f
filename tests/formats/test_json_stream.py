"""Streamed JSON gives what json gives, and the same files are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from askmask.errors import DataError
from askmask.formats import json_stream
from askmask.formats.json_stream import iter_array, iter_members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@pytest.fixture(params=[1, 7, 1 << 20])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Chunks that cut tokens and letters in two, and one that does not."""
    monkeypatch.setattr(json_stream, "_CHUNK_BYTES", request.param)
    size: int = request.param
    return size


def write(tmp_path: Path, content: bytes | str) -> Path:
    path = tmp_path / "file.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=st.lists(VALUES, max_size=5), indent=st.none() | st.just(2), ascii=st.booleans())
def test_arrays_are_read_as_json_reads_them(
    items: list[Any], indent: int | None, ascii: bool, chunk: int, tmp_path: Path
) -> None:
    path = write(tmp_path, json.dumps(items, indent=indent, ensure_ascii=ascii).encode("utf-8"))
    assert list(iter_array(path)) == items


def test_objects_give_their_arrays_item_by_item(chunk: int, tmp_path: Path) -> None:
    content = {"info": {"year": 2014}, "images": [{"id": 1}, {"id": 2}], "none": [], "n": 3}
    expected = [("info", {"year": 2014}), ("images", {"id": 1}), ("images", {"id": 2}), ("n", 3)]
    assert list(iter_members(write(tmp_path, json.dumps(content)))) == expected
    assert list(iter_members(write(tmp_path, "\ufeff { } "))) == []


def test_the_first_item_comes_before_the_rest_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "[1, 2" + " " * 3_000_000 + "oops")
    items = iter_array(path)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(DataError, match="expected ',' or"):
        next(items)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"expected '\[', got its end"),
        ("{}", r"expected '\[', got '\{"),
        ("[1,", r"item 2, line 1, character \d: expected JSON, got its end"),
        ("[1, {", "item 2, line 1, character .: expected JSON"),
        ("[1] 2", "expected the end of the file, got '2'"),
        ("[1 2]", "expected ',' or"),
        (b'["\xff"]', "expected UTF-8, got byte 0xff"),
        (b'["\xc3', "expected UTF-8"),
        ('["' + "x" * 50, "Unterminated"),
    ],
)
def test_what_is_no_array_is_refused(
    content: str | bytes, message: str, chunk: int, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        list(iter_array(write(tmp_path, content)))
    assert "file.json" in str(caught.value)


@pytest.mark.parametrize("content", ["[" * 100_000, "[" + "9" * 5_000 + "]"])
def test_what_the_parser_cannot_hold_is_refused(content: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="item 1, line 1, character 1: expected JSON"):
        list(iter_array(write(tmp_path, content)))


def test_nan_passes_for_the_reader_to_name(tmp_path: Path) -> None:
    first, second = iter_array(write(tmp_path, "[NaN, -Infinity]"))
    assert (first == first, second) == (False, float("-inf"))


@pytest.mark.parametrize("content", ["[]", "", '{"a" 1}', "{1: 2}", '{"a": [1}', '{"a": 1', "{}x"])
def test_what_is_no_object_is_refused(content: str, chunk: int, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"file\.json"):
        list(iter_members(write(tmp_path, content)))


def test_items_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "MAX_ITEM_CHARACTERS", 1_000)
    monkeypatch.setattr(json_stream, "_CHUNK_BYTES", 500)
    path = write(tmp_path, json.dumps(["a" * 5_000]))
    with pytest.raises(DataError, match="at most 1,000"):
        list(iter_array(path))
    with pytest.raises(DataError, match="cannot be read"):
        list(iter_array(tmp_path / "none.json"))
