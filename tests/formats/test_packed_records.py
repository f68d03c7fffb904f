"""Records that wait as text, or go to another process."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from random_records import CODES, EXTRAS, NAMES, queries

from askmask.formats.askmask import PredictedMask, Prediction, QueryRecord
from askmask.formats.packed import pack, unpack_prediction, unpack_query
from askmask.types import MaskType

PLACES = st.sampled_from(["", "queries.jsonl:7"])
SHARES = st.floats(0, 1)


@st.composite
def predictions(draw: st.DrawFn) -> Prediction:
    """Any prediction; only its parts make sense."""
    masks = st.builds(
        PredictedMask,
        CODES,
        SHARES,
        st.none() | CODES,
        st.none() | CODES,
        st.none() | NAMES,
        EXTRAS,
    )
    return Prediction(
        id=draw(NAMES),
        mask_type=draw(st.none() | st.sampled_from(MaskType)),
        mask_type_probability=draw(
            st.none() | st.fixed_dictionaries(dict.fromkeys(MaskType, SHARES))
        ),
        masks=tuple(draw(st.lists(masks, max_size=2))),
        fused=draw(st.none() | CODES),
        no_target_probability=draw(st.none() | SHARES),
        rationale=draw(st.none() | NAMES),
        seconds=draw(st.none() | SHARES),
        error=draw(st.none() | NAMES),
        unsure=draw(st.none() | NAMES),
        extra=draw(EXTRAS),
    )


@given(queries("q"), PLACES)
def test_a_query_comes_back(query: QueryRecord, place: str) -> None:
    back = unpack_query(pack(replace(query, place=place)))
    assert back == query
    assert back.place == place  # which comparison leaves out
    assert type(back.mask_type) is type(query.mask_type)


@given(predictions(), PLACES)
def test_a_prediction_comes_back(prediction: Prediction, place: str) -> None:
    text = pack(replace(prediction, place=place))
    assert "\n" not in text
    back = unpack_prediction(text)
    assert back == prediction
    assert back.place == place
    assert back.to_json() == prediction.to_json()
