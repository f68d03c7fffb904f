"""Blocks that msgspec reads: the same records as the careful readers give, or a doubt."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_records import NAMES, queries
from test_reading_properties import GOLDEN, altered

from askmask.errors import DataError
from askmask.formats import askmask, typed_lines
from askmask.formats.askmask import PredictedMask, Prediction, QueryRecord, read_predictions
from askmask.formats.typed_lines import read_block
from askmask.types import MaskType

pytest.importorskip("msgspec")

KINDS = {"queries": QueryRecord, "predictions": Prediction}
CODE = {"size": [2, 2], "counts": "13"}
ANSWER = {"id": "a", "masks": [{"segmentation": CODE, "score": 0.5}]}
ASKED = {"id": "a", "image": "a.png", "height": 2, "width": 2, "text": "mug", "targets": []}


def carefully(kind: Any, line: str) -> Any:
    """Return the record of a line as the careful reader has it, or None for an error."""
    try:
        return kind.from_json(json.loads(line), "f:7")
    except DataError:
        return None


def quickly(kind: Any, *lines: str) -> Any:
    block = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")
    return read_block(kind, block, "f", 7)


@given(queries("q"))
def test_queries_are_read_as_written(query: QueryRecord) -> None:
    found = quickly(QueryRecord, json.dumps(query.to_json()))
    assert found == (None if any(target.extra for target in query.targets) else [query])


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=300)
@given(data=st.data())
def test_any_value_in_place_of_one(kind: str, data: st.DataObject) -> None:
    lines = (GOLDEN / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()
    record = json.loads(data.draw(st.sampled_from(lines)))
    line = data.draw(altered(record))
    found = quickly(KINDS[kind], line)
    if found is not None:
        assert found == [carefully(KINDS[kind], line)]
        assert found[0].place == "f:7"


@pytest.mark.parametrize("kind", KINDS)
def test_the_golden_lines_need_no_care(kind: str) -> None:
    lines = (GOLDEN / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()
    known = [json.dumps(_without_unknown(json.loads(line), kind)) for line in lines]
    found = quickly(KINDS[kind], *known)
    assert found == [carefully(KINDS[kind], line) for line in known]
    assert [record.place for record in found] == [f"f:{7 + i}" for i in range(len(lines))]


def _without_unknown(record: dict[str, Any], kind: str) -> dict[str, Any]:
    """Take what the format does not know out of a line."""
    inner, of = ("targets", askmask.Target) if kind == "queries" else ("masks", PredictedMask)
    masks = record.get(inner) or []
    kept = {key: value for key, value in record.items() if key in KINDS[kind].KEYS}
    kept[inner] = [{key: one[key] for key in one if key in of.KEYS} for one in masks]
    return kept


DOUBTED = {
    "score above 1": ANSWER | {"masks": [{"segmentation": CODE, "score": 1.5}]},
    "broken code": ANSWER | {"masks": [{"segmentation": CODE | {"counts": "1"}, "score": 1}]},
    "size in floats": ANSWER | {"fused": CODE | {"size": [2.0, 2]}, "masks": []},
    "two sizes": ANSWER | {"fused": {"size": [1, 4], "counts": "13"}},
    "masks beside an error": ANSWER | {"error": "none"},
    "probabilities": ANSWER | {"mask_type_probability": {"modal": 1, "amodal": 1, "hidden": 0}},
    "mistyped key": ANSWER | {"Fused": CODE},
    "unknown key of a mask": {"id": "a", "masks": [{"segmentation": CODE, "score": 1, "bbox": []}]},
    "no id": ANSWER | {"id": ""},
    "seconds": ANSWER | {"seconds": -1},
    "no object": [],
}  # fmt: skip


@pytest.mark.parametrize("line", DOUBTED.values(), ids=DOUBTED)
def test_whatever_is_unusual_is_left_to_care(line: Any) -> None:
    assert quickly(Prediction, json.dumps(ANSWER)) is not None
    assert quickly(Prediction, json.dumps(line)) is None
    assert quickly(Prediction, json.dumps(ANSWER), json.dumps(line)) is None


@pytest.mark.parametrize("change", [{"height": 3}, {"height": 2.0}, {"text": None}, {"image": ""}])
def test_unusual_queries_are_left_to_care(change: dict[str, Any]) -> None:
    asked = ASKED | {"targets": [{"segmentation": CODE}]}
    assert quickly(QueryRecord, json.dumps(asked)) is not None
    assert quickly(QueryRecord, json.dumps(asked | change)) is None


def test_whole_numbers_of_any_size_stay_what_they_are() -> None:
    line = json.dumps(ASKED | {"targets": [{"segmentation": CODE, "entity": 2**70}]})
    assert quickly(QueryRecord, line) == [carefully(QueryRecord, line)]


@pytest.mark.parametrize("note", [2**70, -0.0, 1e22, {"of": [1, None, "é", {}]}, "\ud800", 1e-400])
def test_unknown_keys_of_a_line_are_kept(note: Any) -> None:
    for kind, record in ((Prediction, ANSWER | {"unsure": "dark"}), (QueryRecord, ASKED)):
        line = json.dumps(record | {"note": note})
        found = quickly(kind, line, line)
        assert found is None if note == "\ud800" else found == [carefully(kind, line)] * 2


def test_keys_that_a_code_has_beside_its_own_are_kept() -> None:
    code = CODE | {"area": 3}
    line = json.dumps(ANSWER | {"masks": [{"segmentation": code, "score": 1}]})
    assert quickly(Prediction, line)[0].masks[0].segmentation == code


@settings(max_examples=30)
@given(names=st.lists(NAMES, min_size=1, max_size=8), blocks=st.sampled_from([1, 60, 10_000]))
def test_files_are_the_same_with_and_without(names: list[str], blocks: int) -> None:
    """Also where ids come twice, in one block or in two."""
    lines = [json.dumps(ANSWER | {"id": name, "mask_type": MaskType.MODAL}) for name in names]

    def read(path: Path) -> tuple[list[Prediction], str]:
        found: list[Prediction] = []
        try:
            found.extend(read_predictions(path))
        except DataError as error:
            return found, str(error)
        return found, ""

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "predictions.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")
        patch.setattr("askmask.formats.files._BLOCK_BYTES", blocks)
        with_it = read(path)
        patch.setattr(askmask, "read_block", lambda *_: None)
        assert read(path) == with_it
    assert ("is already in line" in with_it[1]) == (len({*names}) < len(names))


def test_without_msgspec_everything_is_read_with_care(monkeypatch: pytest.MonkeyPatch) -> None:
    typed_lines._decoder.cache_clear()
    monkeypatch.setattr(typed_lines, "find_spec", lambda _: None)
    assert quickly(Prediction, json.dumps(ANSWER)) is None
    typed_lines._decoder.cache_clear()
