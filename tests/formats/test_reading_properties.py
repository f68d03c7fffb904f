"""Any bytes give records or a DataError that names the file, whatever is in them."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askmask.errors import AskmaskError, DataError
from askmask.formats.askmask import Prediction, read_entities, read_predictions, read_queries
from askmask.formats.predictions.registry import PREDICTION_FORMATS, predictions_for

GOLDEN = Path(__file__).parents[1] / "golden" / "askmask"
READERS = {"entities": read_entities, "queries": read_queries, "predictions": read_predictions}
QUERY = b'{"id": "1", "image": "a.png", "height": 2, "width": 2, "text": "mug", "targets": []}\n'

NUMBERS = st.integers(-2, 10) | st.integers() | st.floats() | st.sampled_from([10**400, 2**63])
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=6)
CODES = st.fixed_dictionaries(
    {"size": st.lists(NUMBERS, max_size=3), "counts": st.text("01234PNo~é", max_size=8) | SCALARS}
)
VALUES = st.recursive(
    SCALARS | CODES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


def paths_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values inside `value`."""
    inside = value.items() if isinstance(value, dict) else ()
    inside = enumerate(value) if isinstance(value, list) else inside
    return [
        found for key, item in inside for found in ((*path, key), *paths_in(item, (*path, key)))
    ]


@st.composite
def altered(draw: st.DrawFn, record: Any) -> str:
    """Draw a record with one of its values replaced, as JSON; NaN and infinities as they come."""
    record = json.loads(json.dumps(record))
    *way, last = draw(st.sampled_from(paths_in(record)))
    inner = record
    for step in way:
        inner = inner[step]
    inner[last] = draw(VALUES)
    return json.dumps(record)


def check_message(error: AskmaskError, path: Path) -> None:
    """Expect one line that names the file."""
    assert str(path) in str(error)
    assert len(str(error).splitlines()) == 1


def read_all(reader: Any, raw: bytes) -> list[Any]:
    """Read a file that holds `raw`; DataErrors must name it and be one line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(raw)
        try:
            return list(reader(path))
        except DataError as error:
            check_message(error, path)
            return []


@pytest.mark.parametrize("kind", READERS)
@given(raw=st.binary(max_size=60))
@settings(max_examples=40)
def test_any_bytes(kind: str, raw: bytes) -> None:
    golden = (GOLDEN / f"{kind}.jsonl").read_bytes()
    for content in (raw, golden + raw, golden[: len(raw) * 7] + raw):
        read_all(READERS[kind], content)


@pytest.mark.parametrize("kind", READERS)
@given(data=st.data())
@settings(max_examples=40)
def test_any_value_in_place_of_one(kind: str, data: st.DataObject) -> None:
    lines = (GOLDEN / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()
    line = data.draw(altered(json.loads(data.draw(st.sampled_from(lines)))))
    for record in read_all(READERS[kind], line.encode("utf-8", "surrogatepass") + b"\n"):
        assert type(record).from_json(record.to_json(), "again") == record


@given(data=st.data(), cut=st.integers(1, 400))
@settings(max_examples=40)
def test_half_a_line_is_never_a_record_nor_dropped_in_silence(data, cut: int) -> None:
    whole = (GOLDEN / "predictions.jsonl").read_bytes()
    first, second = whole.splitlines(keepends=True)
    torn = second[: min(cut, len(second) - 2)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.jsonl"
        path.write_bytes(first + torn)
        rows = read_predictions(path)
        assert next(rows).id == "a#0"
        with pytest.raises(DataError, match=r"predictions\.jsonl:2: the file ends in the middle"):
            next(rows)


DETECTION = {"image_id": "1", "segmentation": {"size": [2, 2], "counts": "13"}, "score": 0.5}
DETECTION |= {"mask_type": "modal", "bbox": [0, 0, 1, 1], "category_id": 1}


def read_against(raw: bytes, format: str, name: str) -> None:
    """Read results against one query; only our own errors may come."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "queries.jsonl").write_bytes(QUERY)
        results = Path(folder) / "results"
        path = results / name if name else results
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(raw)
        try:
            found = list(predictions_for(results, Path(folder) / "queries.jsonl", format))
        except AskmaskError as error:
            check_message(error, results)
        else:
            assert all(isinstance(one, Prediction) for one in found)


@given(data=st.data())
@settings(max_examples=40)
def test_any_value_in_coco_results(data: st.DataObject) -> None:
    text = data.draw(altered([DETECTION, DETECTION]))
    read_against(text.encode("utf-8", "surrogatepass"), "coco", "")


NAMES = {"coco": "", "askmask": "", "glamm": "1.json", "lisa": "1_mask_0.jpg", "png": "1.png"}
NAMES |= {"png-instances": "1_0.png"}
MAGIC = {"png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "lisa": b"\xff\xd8\xff\xe0"}


@pytest.mark.parametrize("format", ["auto", *PREDICTION_FORMATS])
@given(raw=st.binary(max_size=60))
@settings(max_examples=10)
def test_any_bytes_in_any_layout(format: str, raw: bytes) -> None:
    for name in {NAMES.get(format, ""), "1.png"}:
        read_against(raw, format, name)
        read_against(MAGIC.get(format, b"[") + raw, format, name)
