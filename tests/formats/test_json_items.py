"""Items of large JSON files: what json gives, and once more from their places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from askmask.errors import DataError
from askmask.formats import json_stream
from askmask.formats.json_stream import JsonItems

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def write(tmp_path: Path, content: bytes | str) -> Path:
    path = tmp_path / "file.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.dictionaries(st.text(), VALUES, max_size=4) | st.lists(VALUES, max_size=4),
    indent=st.none() | st.just(1),
    ascii=st.booleans(),
)
def test_items_are_those_of_json_and_found_again(
    content: dict[str, Any] | list[Any], indent: int | None, ascii: bool, tmp_path: Path
) -> None:
    text = json.dumps(content, indent=indent, ensure_ascii=ascii)
    file = JsonItems(write(tmp_path, text))
    rebuilt: dict[str, Any] = {}
    for item in file:
        if item.number is None:
            rebuilt[item.key] = [] if isinstance(item.value, list) else item.value
        else:
            assert item.number == len(rebuilt[item.key])
            rebuilt[item.key].append(item.value)
        if item.number is not None or not isinstance(item.value, list):
            assert file.at(item.start) == item.value
    assert rebuilt == (content if isinstance(content, dict) else {"": content})


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    assert [item.value for item in JsonItems(write(tmp_path, '\ufeff {"a": 1} '))] == [1]


def test_numbers_that_are_none_are_left_to_the_reader(tmp_path: Path) -> None:
    (_, item) = JsonItems(write(tmp_path, '{"a": [{"x": NaN}]}'))
    assert item.value["x"] != item.value["x"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "1 to .* bytes, got 0"),
        (b"3", r"expected '\{' or '\[', got '3'"),
        (b'{"images": [{"id": 1}, {"id":', "character 28: expected JSON|is the file truncated"),
        (b'{"images": [1', r"expected ',' or '\]', got its end; is the file truncated\?"),
        (b'{"images": [1 2]}', r"expected ',' or '\]', got '2\]}'"),
        (b'{"a": 1, 2: 3}', "expected a key in quotes, got '2: 3}'"),
        (b'{"a" 1}', "expected ':', got '1}'"),
        (b'{"a": 1]', "expected ',' or '}'"),
        (b"[1] x", "line 1, character 4: expected the end of the file, got 'x'"),
        (b"\n[\n1,\n}]", "line 4"),
        (b'{"a": "\xff"}', "expected UTF-8, got byte 0xff at offset 7"),
        ('{"a": 1}'.encode("utf-16"), "expected UTF-8, got byte 0xff at offset 0"),
        (b"[" + b"9" * 5000 + b"]", "expected JSON"),
        (b"[" + b"[" * 100_000, "expected JSON"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(
    content: bytes, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        list(JsonItems(write(tmp_path, content)))
    assert "file.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_missing_or_too_large_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"none\.json: cannot be read"):
        JsonItems(tmp_path / "none.json")
    monkeypatch.setattr(json_stream, "MAX_FILE_BYTES", 10)
    with pytest.raises(DataError, match="1 to 10 bytes, got 11"):
        JsonItems(write(tmp_path, '{"a": 1234}'))
