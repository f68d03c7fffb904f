import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askmask.errors import DataError, OutputError
from askmask.formats import files
from askmask.formats.files import (
    appending_jsonl,
    atomic_write,
    file_sha256,
    iter_jsonl,
    read_json,
    write_json,
    write_jsonl,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_json_lines_come_back(tmp_path: Path) -> None:
    records = [{"a": 1}, {"b": "jar of honey, größer, 猫"}, {"c": [None, True, 0.5]}]
    write_jsonl(tmp_path / "a.jsonl", records)
    assert list(iter_jsonl(tmp_path / "a.jsonl")) == list(enumerate(records, 1))


@given(st.dictionaries(st.text(), st.none() | st.integers() | st.text()))
def test_any_object_is_one_line(record: dict[str, Any]) -> None:
    try:
        line = files._dump(record)
    except UnicodeEncodeError:  # lone surrogates are no text
        return
    assert line.count(b"\n") == 1
    assert json.loads(line) == record


def test_blank_lines_byte_order_mark_and_missing_last_end_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\n{"a": 2}')
    assert list(iter_jsonl(tmp_path / "a.jsonl")) == [(1, {"a": 1}), (3, {"a": 2})]


BAD_LINES = {
    "no json": (b"{'a': 1}", "expected JSON"),
    "cut": (b'{"a": ', "expected JSON"),
    "array": (b"[1]", "expected a JSON object, got list"),
    "not a number": (b'{"a": NaN}', "'a': expected a finite number, NaN is not JSON"),
    "deep not a number": (
        b'{"a": [{"b": 1}, {"b": -Infinity}]}',
        r"key 'a\[1\].b': expected a fin",
    ),
    "not a number alone": (b"NaN", "expected JSON, NaN is not JSON"),
    "latin-1": (b'{"a": "\xe9"}', "expected UTF-8, got byte 0xe9 at offset 7"),
    "deep": (b'{"a": ' + b"[" * 200_000, "expected JSON"),
    "long number": (b'{"a": ' + b"9" * 9_000 + b"}", "expected JSON"),
    "long line": (b'{"a": "' + b"x" * 10_001 + b'"}', "at most 10,000 bytes a line"),
}


@pytest.mark.parametrize(("line", "message"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_bad_line_is_named(
    tmp_path: Path, line: bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if message.startswith("at most"):
        monkeypatch.setattr(files, "MAX_LINE_BYTES", 10_000)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 0}\n' + line + b"\n")
    rows = iter_jsonl(path)
    assert next(rows) == (1, {"a": 0})
    with pytest.raises(DataError, match=message) as caught:
        next(rows)
    assert str(caught.value).startswith((f"{path}:2: ", f"{path}:2, key "))
    assert "\n" not in str(caught.value)


def test_missing_files_are_data_errors(tmp_path: Path) -> None:
    for read in (read_json, file_sha256, lambda path: list(iter_jsonl(path))):
        for path in (tmp_path / "none.json", tmp_path):
            with pytest.raises(DataError, match="cannot be read"):
                read(path)


def test_read_json_has_a_limit(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"a": "x" * 100})
    assert read_json(tmp_path / "a.json", 200) == {"a": "x" * 100}
    with pytest.raises(DataError, match="at most 50 bytes"):
        read_json(tmp_path / "a.json", 50)


def test_nan_is_not_written(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", float("nan"))
    assert read_json(tmp_path / "a.json") == 1


def test_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_jsonl(path, [{"a": 1}])

    def interrupted() -> Iterator[dict[str, int]]:
        yield {"a": 2}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_jsonl(path, interrupted())
    assert path.read_bytes() == b'{"a": 1}\n'
    assert names(tmp_path) == ["a.jsonl"]


def test_until_the_end_the_old_file_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with atomic_write(path) as stream:
        stream.write(b"new")
        stream.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


def test_unwritable_places_are_output_errors(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "none" / "a", tmp_path / "file" / "a", tmp_path / "folder"):
        with pytest.raises(OutputError, match="cannot be written"):
            write_json(path, 1)
        with pytest.raises(OutputError, match="cannot be written"), appending_jsonl(path):
            pass
    assert names(tmp_path) == ["file", "folder"]


def test_full_disk_is_an_output_error(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with (
        pytest.raises(OutputError, match="No space left"),
        appending_jsonl("/dev/full") as append,
    ):
        append({"a": 1})


def test_appender_continues(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for number in range(3):
        with appending_jsonl(path) as append:
            append({"a": number})
            assert path.read_bytes().endswith(b'{"a": %d}\n' % number)  # not held back
    assert [record["a"] for _, record in iter_jsonl(path)] == [0, 1, 2]


@pytest.mark.parametrize("torn", [b'{"a": 1', b"{", b'{"a": 1}', b"\xc3"])
def test_appender_cuts_a_torn_last_line(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 0}\n' + torn)
    with appending_jsonl(path) as append:
        append({"a": 2})
    assert path.read_bytes() == b'{"a": 0}\n{"a": 2}\n'


def test_hash_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_sha256(tmp_path / "a").startswith("ba7816bf8f01cfea")
