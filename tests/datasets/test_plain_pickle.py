"""Pickles of plain data are read as Python reads them; anything else is refused and not run."""

from __future__ import annotations

import collections
import contextlib
import os
import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from askmask.datasets.plain_pickle import _Machine, read_plain_pickle
from askmask.datasets.text_pickle import UNFIT, read_text_pickle
from askmask.errors import DataError

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=15,
)
QUICK = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "refs(unc).p"
    path.write_bytes(data)
    return path


@QUICK
@given(value=PLAIN, protocol=st.integers(0, 5))
def test_plain_data_comes_back(value: Any, protocol: int, tmp_path: Path) -> None:
    assert read_plain_pickle(write(tmp_path, pickle.dumps(value, protocol))) == value


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
REFS = st.lists(st.dictionaries(st.text(max_size=2), SCALARS | st.lists(SCALARS, max_size=3)))


@QUICK
@given(refs=REFS)
def test_texts_are_read_at_once_as_they_are_step_by_step(refs: Any) -> None:
    text = pickle.dumps(refs + refs, 0)
    assert read_text_pickle(text) == _Machine(text).run() == refs + refs


PYTHON_2 = {
    # What Python 2 wrote for [{'sent': 'a caf\xc3\xa9', 'raw': u'\xe9', 'no': 3L, 'on': True}].
    0: b"(lp0\n(dp1\nS'sent'\np2\nS'a caf\\xc3\\xa9'\np3\nsS'raw'\np4\nV\xe9\np5\nsS'no'\np6\nL3L\n"
    b"sS'on'\np7\nI01\nsa.",
    1: b"]q\x00}q\x01(U\x04sentq\x02U\x07a caf\xc3\xa9q\x03U\x03rawq\x04X\x02\x00\x00\x00\xc3\xa9"
    b"q\x05U\x02noq\x06L3L\nU\x02onq\x07I01\nua.",
    2: b"\x80\x02]q\x00}q\x01(U\x04sentq\x02U\x07a caf\xc3\xa9q\x03U\x03rawq\x04X\x02\x00\x00\x00"
    b"\xc3\xa9q\x05U\x02noq\x06\x8a\x01\x03U\x02onq\x07\x88ua.",
}


@pytest.mark.parametrize("protocol", PYTHON_2)
def test_strings_of_python_2_become_text(protocol: int, tmp_path: Path) -> None:
    expected = [{"sent": "a café", "raw": "é", "no": 3, "on": True}]
    assert read_plain_pickle(write(tmp_path, PYTHON_2[protocol])) == expected


def test_only_python_2s_texts_are_read_at_once() -> None:
    assert read_text_pickle(PYTHON_2[0])[0]["sent"] == "a café"
    assert read_text_pickle(PYTHON_2[1]) is read_text_pickle(PYTHON_2[2]) is UNFIT


@pytest.mark.parametrize(
    "text",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"(lcos\nsystem\na.",
        b"(dI1\nNs.",  # a key that is no text: numbers can be made to collide
        b"(dg1\nNs.",
        b"Np99999999999\n.",
        b"I010\n.",  # eight for Python's compiled reader, ten for the other one
        b"L0x10L\n.",
        b"S'a\\qb'\n.",
        b"S'caf\\xe9'\n.",
        b"(lNa.N.",
        b"(lNa",
    ],
)
def test_other_texts_are_left_to_the_machine(text: bytes) -> None:
    assert read_text_pickle(text) is UNFIT


def test_strings_that_are_no_utf8_are_latin_1(tmp_path: Path) -> None:
    assert read_plain_pickle(write(tmp_path, b"S'caf\\xe9'\n.")) == "café"
    assert read_plain_pickle(write(tmp_path, b"S'a\\qb'\n.")) == "a\\qb"


class Calling:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_in_a_pickle_is_run(protocol: int, tmp_path: Path) -> None:
    victim = tmp_path / "made"
    path = write(tmp_path, pickle.dumps([{"ref_id": 1, "sent": Calling(victim)}], protocol))
    with pytest.raises(DataError, match=rf"refused.*{os.mkdir.__module__}\.mkdir"):
        read_plain_pickle(path)
    assert not victim.exists()
    pickle.loads(path.read_bytes())
    assert victim.exists()  # Python's own reader does run it


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"cos\nsystem\n(S'true'\ntR.", r"the name os\.system"),
        (b"(S'true'\nios\nsystem\n.", r"the name os\.system"),
        (b"\x80\x02P1\n.", "a persistent object"),
        (b"\x80\x02\x82\x01.", "extension code"),
        (b"]]b.", "a call"),
        (pickle.dumps({1, 2}, 4), "a set"),
        (pickle.dumps(Fraction(1, 2)), r"fractions\.Fraction"),
        (pickle.dumps(collections.OrderedDict()), r"collections\.OrderedDict"),
        (b"\x80\x02\xff.", "step 0xff"),
    ],
)
def test_all_but_plain_data_is_refused_by_name(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_plain_pickle(write(tmp_path, data))
    assert "refs(unc).p" in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"]a.",
        b"K",
        b"Na.",
        b"(N",
        b"e.",
        b"]Ns.",
        b"}(Nu.",
        b"}K\x01Ns.",
        b"h\x05.",
        b"Iten\n.",
        b"I" + b"9" * 5_000 + b"\n.",
        b"S'a\n.",
        b"S'\\x'\n.",
        b"G\x00.",
        b"X\xff\xff\xff\xffa.",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffa.",
        b"\x85.",
        b"\x93.",
    ],
)
def test_broken_pickles_are_named(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"refs\(unc\)\.p: expected a pickle"):
        read_plain_pickle(write(tmp_path, data))


def test_claimed_sizes_cost_nothing(tmp_path: Path) -> None:
    far = b"Nr\xff\xff\xff\xff."  # makes Python's own reader ask for 64 GB
    assert read_plain_pickle(write(tmp_path, far)) is None
    with pytest.raises(DataError, match="at most 3 bytes"):
        read_plain_pickle(write(tmp_path, far), max_bytes=3)
    with pytest.raises(DataError, match="cannot be read"):
        read_plain_pickle(tmp_path / "none.p")


@settings(QUICK, max_examples=300)
@given(
    data=st.binary(max_size=60)
    | st.builds(
        lambda value, place, byte: value[:place] + byte + value[place + 1 :],
        st.sampled_from([*PYTHON_2.values(), pickle.dumps([{"a": [1.5, "b"]}], 4)]),
        st.integers(0, 60),
        st.binary(max_size=2),
    )
)
def test_any_bytes_give_data_or_a_data_error(data: bytes, tmp_path: Path) -> None:
    with contextlib.suppress(DataError):
        read_plain_pickle(write(tmp_path, data))
