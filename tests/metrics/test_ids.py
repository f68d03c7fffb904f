"""Ids by row, whether they fit one block or lie in the file."""

import pytest

from askmask.metrics import ids
from askmask.metrics.ids import Ids

NAMES = ["a", "ä\n#1", "", "\ud800", "0", "a b", "x" * 300]


@pytest.mark.parametrize("block", [1, 2, 3, 7, 100])
def test_ids_are_a_list(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_BLOCK", block)
    found = Ids()
    for number, name in enumerate(NAMES):
        assert len(found) == number
        found.append(name)
        assert found[number] == name
    assert [*found] == NAMES == [found[i] for i in range(len(NAMES))]
    assert (found[-1], found[2:5]) == (NAMES[-1], NAMES[2:5])
    assert found == NAMES
    assert "0" in found
    assert "z" not in found
    with pytest.raises(IndexError):
        found[len(NAMES)]
