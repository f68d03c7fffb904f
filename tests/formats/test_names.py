"""Names by their hashes: what was met is always suspected, and hardly anything else."""

from pathlib import Path

import pytest

from askmask.errors import DataError
from askmask.formats import names
from askmask.formats.askmask import read_predictions
from askmask.formats.names import Names


@pytest.mark.parametrize("run", [1, 8, 1 << 17])
def test_what_was_met_is_suspected(run: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_RUN", run)
    met = Names()
    for start in range(0, 1_000, 7):
        block = [f"q{i}" for i in range(start, start + 7)]
        assert not met.may_hold(block)
        met.update(block)
    assert all(met.may_hold([f"x{i}", f"q{i}"]) for i in range(0, 1_001, 13))
    assert "q1000" in met
    assert "x" not in met


def test_nothing_was_met_at_first() -> None:
    met = Names()
    met.update([])
    assert not met.may_hold(["a"])
    assert not met.may_hold([])


def test_names_that_share_a_hash_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when all do, in one block and in several, with and without compiled readers."""
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(f'{{"id": "q{i}", "masks": []}}\n' for i in range(20)))
    monkeypatch.setattr(names, "hash", lambda _: 7, raising=False)
    for size in (30, 1_000_000):
        monkeypatch.setattr("askmask.formats.files._BLOCK_BYTES", size)
        assert [one.id for one in read_predictions(path)] == [f"q{i}" for i in range(20)]
    with path.open("a") as stream:
        stream.write('{"id": "q3", "masks": []}\n')
    with pytest.raises(DataError, match="21: 'q3' is already in line 4"):
        list(read_predictions(path))
