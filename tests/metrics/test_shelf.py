"""Records that wait on disk: a dict like any other."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askmask.metrics import shelf as module
from askmask.metrics.shelf import Shelf

NAMES = st.sampled_from("abcd")


@given(st.lists(st.tuples(NAMES, st.none() | st.integers()), max_size=20))
def test_it_holds_what_a_dict_holds(steps: list[tuple[str, int | None]]) -> None:
    shelf: Shelf[tuple[int, list[str]]] = Shelf(json.dumps, lambda text: tuple(json.loads(text)))
    plain: dict[str, tuple[int, list[str]]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_NEAR", 2)
        for name, number in steps:
            for one in (shelf, plain):
                one.pop(name, None)
                if number is not None:
                    one[name] = number, [name] * 3
        assert [*shelf.items()] == [*plain.items()]
        assert (len(shelf), "a" in shelf) == (len(plain), "a" in plain)


def test_only_some_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_NEAR", 1)
    shelf: Shelf[list[int]] = Shelf(json.dumps, json.loads)
    near, far = [1], [2]
    shelf["near"], shelf["far"] = near, far
    assert shelf["near"] is near
    assert shelf["far"] == far
    assert shelf["far"] is not far
    del shelf["near"]
    shelf["far"] = far
    assert shelf["far"] is far


def test_a_missing_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Shelf[int](str, int)["a"]
