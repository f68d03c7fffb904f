"""The hashes of a folder's files."""

from __future__ import annotations

import pytest

from askmask.errors import DataError
from askmask.pantry.splits.checksums import CHECKSUMS, verify_checksums, write_checksums


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("b.jsonl", "a.json", "images/0.png"):
        (tmp_path / name).write_text(name)
    write_checksums(tmp_path)
    return tmp_path


def test_an_untouched_folder_passes(folder):
    assert verify_checksums(folder) == 3


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "a.json").write_text("x"), "different a.json;"),
        (lambda folder: (folder / "b.jsonl").unlink(), "missing b.jsonl;"),
        (lambda folder: (folder / "images/1.png").write_text(""), "not listed images/1.png;"),
    ],
)
def test_every_difference_is_found(folder, spoil, message):
    spoil(folder)
    with pytest.raises(DataError, match=message):
        verify_checksums(folder)


def test_many_differences_are_counted(folder):
    for number in range(5):
        (folder / f"new-{number}").write_text("")
    with pytest.raises(DataError, match="not listed new-0, new-1, new-2 and 2 more"):
        verify_checksums(folder)


def test_a_published_list_is_the_measure(folder, tmp_path_factory):
    published = tmp_path_factory.mktemp("published") / "val.json"
    published.write_bytes((folder / CHECKSUMS).read_bytes())
    assert verify_checksums(folder, published) == 3
    (folder / "a.json").write_text("otherwise")
    write_checksums(folder)
    verify_checksums(folder)
    with pytest.raises(DataError, match=r"different a\.json"):
        verify_checksums(folder, published)


@pytest.mark.parametrize("text", ["[]", '{"a": 1}', "{"])
def test_broken_lists_are_refused(folder, text):
    (folder / CHECKSUMS).write_text(text)
    with pytest.raises(DataError, match=CHECKSUMS):
        verify_checksums(folder)
