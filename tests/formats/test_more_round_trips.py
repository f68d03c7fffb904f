"""What comes back of queries and answers, also through the readers of data sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_records import CODES, NAMES, SIZE_HW, alone, picture_names, queries, query_splits

from askmask import rle
from askmask.datasets.registry import named
from askmask.datasets.sources import read_dataset
from askmask.formats.askmask import PredictedMask, Prediction, QueryRecord, write_queries
from askmask.formats.collection import Collection, Losses, Options, Split
from askmask.formats.converters import FORMATS
from askmask.images import write_png
from askmask.types import MaskType

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def written(name: str, collection: Collection, out: Path) -> Losses:
    losses = Losses()
    FORMATS[name].write()(collection, out, Options(), losses)
    return losses


@pytest.mark.parametrize("name", ["coco", "coco-polygons", "askmask"])
@given(query_splits())
@few
def test_queries_come_back(name: str, split: Split) -> None:
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        assert written(name, alone(split), out).lines() == []
        assert FORMATS[name].read()(out, Options()).only().queries == split.queries


@st.composite
def answers(draw: st.DrawFn, id: str) -> Prediction:
    masks = tuple(
        PredictedMask(
            code,
            draw(st.floats(0, 1)),
            label=draw(st.none() | NAMES),
            modal=draw(st.none() | CODES),
            amodal=draw(st.none() | CODES),
        )
        for code in draw(st.lists(CODES, min_size=1, max_size=3))
    )
    return Prediction(
        id,
        draw(st.none() | st.sampled_from(MaskType)),
        masks=masks,
        no_target_probability=draw(st.none() | st.floats(0, 1)),
        rationale=draw(st.none() | NAMES),
        seconds=draw(st.none() | st.floats(0, 9)),
    )


@st.composite
def answered(draw: st.DrawFn) -> Split:
    ids = draw(st.lists(st.text("ab/#%", min_size=1, max_size=4), unique=True, min_size=1))
    ids = [f"q{id}q" for id in ids[:3]]
    asked = tuple(draw(queries(id)) for id in ids)
    return Split((), asked, tuple(draw(answers(id)) for id in ids))


def read_again(name: str, split: Split) -> tuple[Prediction, ...]:
    """Write answers and read them against their queries; in the order of the queries."""
    with TemporaryDirectory() as folder:
        out, asked = Path(folder) / "out", Path(folder) / "asked.jsonl"
        write_queries(asked, split.queries)
        written(name, alone(split), out)
        found = FORMATS[name].read()(out, Options(queries=asked)).only().predictions
    order = {query.id: place for place, query in enumerate(split.queries)}
    return tuple(sorted(found, key=lambda one: order[one.id]))


@given(answered())
@few
def test_answers_come_back_from_our_lines(split: Split) -> None:
    assert read_again("askmask", split) == split.predictions


@given(answered())
@few
def test_masks_scores_and_types_come_back_from_coco_results(split: Split) -> None:
    kept = [
        replace(
            one,
            masks=tuple(PredictedMask(mask.segmentation, mask.score) for mask in one.masks),
            no_target_probability=None,
            rationale=None,
            seconds=None,
        )
        for one in split.predictions
    ]
    assert [*read_again("coco-results", split)] == kept


@given(answered())
@few
def test_masks_come_back_from_pictures(split: Split) -> None:
    found = read_again("png-binary", split)
    for one, other in zip(split.predictions, found, strict=True):
        assert [mask.segmentation for mask in other.masks] == [
            mask.segmentation for mask in one.masks
        ]


@given(queries("a"))
@few
def test_union_and_ignored_region_come_back_from_reasonseg(query: QueryRecord) -> None:
    query = replace(query, image=picture_names(1)[0])
    with TemporaryDirectory() as home:
        folder = Path(home)
        (folder / "images").mkdir()
        write_png(folder / query.image, np.zeros((*SIZE_HW, 3), np.uint8))
        own = Split(queries=(query,), images=folder)
        written("reasonseg", Collection({"val": own}), folder / "out")
        (back,) = read_dataset(named("reasonseg"), folder / "out", Options()).splits["val"].queries
    codes = [one.segmentation for one in query.targets]
    ignore = np.zeros(SIZE_HW, bool) if query.ignore is None else rle.decode(query.ignore)
    found = rle.union([one.segmentation for one in back.targets], SIZE_HW)
    assert (rle.decode(found) == rle.decode(rle.union(codes, SIZE_HW)) & ~ignore).all()
    again = np.zeros(SIZE_HW, bool) if back.ignore is None else rle.decode(back.ignore)
    assert (again == ignore).all()
    assert back.text == query.text


@given(query_splits())
@few
def test_texts_types_and_masks_come_back_from_r2sm(split: Split) -> None:
    kept = [one for one in split.queries if one.mask_type != "hidden"]
    assume(kept and all(one.targets and one.text.strip() == one.text for one in kept))
    with TemporaryDirectory() as folder:
        out = Path(folder) / "r2sm_val.json"
        written("r2sm", alone(split), out)
        back = read_dataset(named("r2sm"), out, Options()).splits["val"].queries
    for one, other in zip(kept, back, strict=True):
        assert (other.text, other.mask_type) == (one.text, one.mask_type)
        assert [target.segmentation for target in other.targets] == [
            target.segmentation for target in one.targets
        ]
