"""Parts of files: the same lines number both, and together they are the file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askmask.formats import spans
from askmask.formats.files import iter_blocks
from askmask.formats.spans import Span, cut

LINES = st.lists(st.binary(max_size=9).map(lambda raw: raw.replace(b"\n", b"") + b"\n"))


def part(path: Path, span: Span) -> bytes:
    return path.read_bytes()[span.start : span.stop]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spans")


@given(LINES, LINES, st.floats(0, 1), st.sampled_from([b"", b"torn"]), st.integers(1, 20))
def test_parts_have_the_same_lines_and_make_the_file(
    folder: Path, one: list[bytes], other: list[bytes], share: float, torn: bytes, block: int
) -> None:
    paths = folder / "one", folder / "other"
    for path, lines in zip(paths, (one, other), strict=True):
        path.write_bytes(b"".join(lines) + torn)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spans, "_BLOCK_BYTES", block)
        parts = cut(paths, share)
    numbers = {second.number for _, second in parts}
    assert len(numbers) == 1
    before = numbers.pop() - 1
    assert len(b"".join(one[:before])) <= share * paths[0].stat().st_size
    for path, lines, (first, second) in zip(paths, (one, other), parts, strict=True):
        if len(lines) >= before:
            assert part(path, first) == b"".join(lines[:before])
        assert part(path, first) + part(path, second) == path.read_bytes()


def test_the_parts_of_a_long_file_are_about_even(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"12345\n" * 1_000)
    [(first, second)] = cut([path], 0.5)
    assert (first, second) == (Span(0, 3_000), Span(3_000, None, 501))


def test_blocks_of_a_part_stop_at_its_end_and_number_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("askmask.formats.files._BLOCK_BYTES", 3)
    path = tmp_path / "lines"
    path.write_bytes(b"1\n22\n333\n4444\n55555\n")
    parts = cut([path], 0.5)[0]
    assert [[*iter_blocks(path, span)] for span in parts] == [
        [(1, b"1\n22\n"), (3, b"333\n")],
        [(4, b"4444\n"), (5, b"55555\n")],
    ]
