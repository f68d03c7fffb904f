"""Records made quickly: the same as those made by their class."""

import pickle
from dataclasses import FrozenInstanceError

import pytest

from askmask.formats.prediction import PredictedMask, Prediction
from askmask.formats.records import QueryRecord, Target
from askmask.formats.unfrozen import maker_of

CODE = {"size": [1, 2], "counts": "11"}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (PredictedMask, (CODE, 0.5)),
        (PredictedMask, (CODE, 0.5, None, CODE, "mug", {"note": 1})),
        (Prediction, ("a",)),
        (Target, (CODE, 3)),
        (QueryRecord, ("a", "a.png", 1, 2, "the mug", ())),
    ],
)
def test_the_same_record_as_its_class_makes(kind: type, values: tuple) -> None:
    record = maker_of(kind)(*values)
    assert type(record) is kind
    assert record == kind(*values)
    assert repr(record) == repr(kind(*values))
    assert pickle.loads(pickle.dumps(record)) == record
    with pytest.raises(FrozenInstanceError):
        record.extra = {}


def test_defaults_are_not_shared() -> None:
    make = maker_of(PredictedMask)
    make(CODE, 0.5).extra["note"] = 1
    assert make(CODE, 0.5).extra == {}


def test_what_is_missing_is_missed() -> None:
    with pytest.raises(TypeError, match="score"):
        maker_of(PredictedMask)(CODE)
