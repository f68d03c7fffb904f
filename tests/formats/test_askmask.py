import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shared_material import BENCHMARKS

from askmask import rle
from askmask.errors import DataError, QueryError, RLEError
from askmask.formats.askmask import (
    EntityRecord,
    Prediction,
    QueryRecord,
    prediction_from_answer,
    read_dataset_json,
    read_entities,
    read_predictions,
    read_queries,
    write_dataset_json,
    write_entities,
    write_predictions,
    write_queries,
)
from askmask.formats.fields import Fields
from askmask.types import Answer, Masks, MaskType

GOLDEN = Path(__file__).parents[1] / "golden" / "askmask"
KINDS: dict[str, tuple[Any, Callable[..., Any], Callable[..., None]]] = {
    "entities": (EntityRecord, read_entities, write_entities),
    "queries": (QueryRecord, read_queries, write_queries),
    "predictions": (Prediction, read_predictions, write_predictions),
}


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("kind", KINDS)
def test_golden_file_comes_back_with_unknown_keys(kind: str, tmp_path: Path) -> None:
    _, read, write = KINDS[kind]
    golden = GOLDEN / f"{kind}.jsonl"
    write(tmp_path / "a.jsonl", read(golden))
    assert lines(tmp_path / "a.jsonl") == lines(golden)
    write(tmp_path / "b.jsonl", read(tmp_path / "a.jsonl"))
    assert (tmp_path / "b.jsonl").read_bytes() == (tmp_path / "a.jsonl").read_bytes()


def test_fields_of_golden_records() -> None:
    first, second = read_queries(GOLDEN / "queries.jsonl")
    assert first.mask_type is MaskType.AMODAL
    assert first.targets[0].extra == {"note": "kept"}
    assert first.extra == {"annotator": 3}
    assert (second.mask_type, second.targets, second.references) == (None, (), ())
    (box, mug), _ = (record.entities for record in read_entities(GOLDEN / "entities.jsonl"))
    assert (box.attributes, box.occluded_by, mug.attributes) == ({"colour": "red"}, (2,), {})
    answered, failed = read_predictions(GOLDEN / "predictions.jsonl")
    assert answered.mask_type_probability == {"modal": 0.1, "amodal": 0.7, "hidden": 0.2}
    assert failed.error == "out of memory"


def test_missing_optional_keys_are_null() -> None:
    assert Prediction.from_json({"id": "a"}, "f:1") == Prediction("a")
    short = {"id": "a", "image": "a.png", "height": 2, "width": 3, "text": "mug", "targets": []}
    full = {**short, "references": None, "mask_type": None, "ignore": None, "tags": None}
    assert QueryRecord.from_json(short, "f:1") == QueryRecord.from_json(full, "f:1")


def test_query_does_not_tell_the_asked_type() -> None:
    first, second = read_queries(GOLDEN / "queries.jsonl")
    query = first.to_query()
    assert (query.text, query.mask_type) == ("the whole box behind [1]", None)
    assert query.references is not None
    assert query.references.rles == first.references
    assert len(second.to_query().references or ()) == 0


def test_query_that_cannot_be_asked_is_read_but_not_asked() -> None:
    record = {**lines(GOLDEN / "queries.jsonl")[0], "references": []}
    read = QueryRecord.from_json(record, "f:1")
    with pytest.raises(QueryError, match=r"\[1\]"):
        read.to_query()


SMALL = rle.encode(np.ones((2, 2), bool))
DROP = object()

WRONG = [
    ("queries", ["id"], DROP, "key 'id': missing"),
    ("queries", ["id"], 7, "key 'id': expected a string, got 7"),
    ("queries", ["id"], "", "not empty"),
    ("queries", ["height"], "6", "key 'height': expected a whole number"),
    ("queries", ["height"], 0, "of 1 or more, got 0"),
    ("queries", ["width"], True, "key 'width'"),
    ("queries", ["width"], 9, r"key 'targets\[0\].segmentation'.*\[6, 9\], got \[6, 8\]"),
    ("queries", ["text"], None, "key 'text': expected a string, got None"),
    ("queries", ["targets"], None, "key 'targets': expected a list"),
    ("queries", ["targets"], {}, "key 'targets': expected a list"),
    ("queries", ["targets", 0], 3, r"key 'targets\[0\]': expected an object, got 3"),
    ("queries", ["targets", 0, "segmentation"], DROP, r"'targets\[0\].segmentation': missing"),
    ("queries", ["targets", 0, "segmentation"], SMALL, r"segmentation': RLE size"),
    ("queries", ["targets", 0, "modal"], "x", r"'targets\[0\].modal': RLE"),
    ("queries", ["targets", 0, "entity"], 1.5, r"'targets\[0\].entity': expected a whole"),
    ("queries", ["references"], [SMALL], r"key 'references\[0\]': RLE size"),
    ("queries", ["references"], SMALL, "key 'references': expected a list"),
    ("queries", ["mask_type"], "visible", "one of modal, amodal, hidden or null, got 'visible'"),
    ("queries", ["mask_type"], ["modal"], "one of modal"),
    ("queries", ["ignore"], SMALL, "key 'ignore': RLE size"),
    ("queries", ["tags"], "a", "key 'tags': expected a list"),
    ("queries", ["tags"], [1], "a list of strings"),
    ("queries", ["maskType"], "modal", "DROPPED mask_type; did you mean 'mask_type'"),
    ("entities", ["entities", 0, "id"], 2, "key 'entities': expected different ids, got 2"),
    ("entities", ["entities", 0, "category"], "", "category': expected a string"),
    ("entities", ["entities", 0, "occlusion_rate"], 1.5, r"in \[0, 1\], got 1.5"),
    ("entities", ["entities", 0, "occluded_by"], ["2"], "a list of entity ids"),
    ("entities", ["entities", 0, "attributes"], [], "attributes': expected an object"),
    ("entities", ["entities", 0, "modal"], None, "modal': RLE"),
    ("entities", ["entities"], DROP, "key 'entities': missing"),
    ("predictions", ["mask_type_probability", "modal"], 0.3, "sum to 1, got 1.2"),
    ("predictions", ["mask_type_probability", "modal"], DROP, "probability.modal': missing"),
    ("predictions", ["mask_type_probability", "modal"], -0.1, r"in \[0, 1\], got -0.1"),
    ("predictions", ["mask_type_probability", "none"], 0.0, "got 'none'"),
    ("predictions", ["mask_type_probability"], [1, 0, 0], "probability': expected an object"),
    ("predictions", ["masks", 0, "score"], DROP, r"'masks\[0\].score': missing"),
    ("predictions", ["masks", 0, "score"], "0.9", r"'masks\[0\].score': expected a finite"),
    ("predictions", ["masks", 0, "score"], float("inf"), "a finite number"),
    ("predictions", ["masks", 0, "modal"], SMALL, "modal': RLE size"),
    ("predictions", ["seconds"], -1, "key 'seconds'"),
    ("predictions", ["no_target_probability"], 2, r"in \[0, 1\], got 2"),
    ("predictions", ["error"], {}, "key 'error': expected a string"),
]


def changed(kind: str, path: list[Any], value: Any) -> Any:
    record = copy.deepcopy(lines(GOLDEN / f"{kind}.jsonl")[0])
    inner = record
    for step in path[:-1]:
        inner = inner[step]
    if value is DROP:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return record


@pytest.mark.parametrize(
    ("kind", "path", "value", "message"),
    WRONG,
    ids=[f"{kind}-{'.'.join(map(str, path))}-{i}" for i, (kind, path, _, _) in enumerate(WRONG)],
)
def test_wrong_value_is_named(kind: str, path: list[Any], value: Any, message: str) -> None:
    record = changed(kind, path, value)
    if message.startswith("DROPPED "):
        dropped, _, message = message.removeprefix("DROPPED ").partition("; ")
        del record[dropped]
    with pytest.raises(DataError, match=message) as caught:
        KINDS[kind][0].from_json(record, "queries.jsonl:3")
    assert str(caught.value).startswith("queries.jsonl:3, key '")
    assert "\n" not in str(caught.value)


def test_mistyped_keys_get_a_suggestion() -> None:
    record = changed("queries", ["targets"], DROP)
    record["targetz"] = []
    with pytest.raises(DataError, match="missing; did you mean 'targets' where it says 'targetz'"):
        QueryRecord.from_json(record, "f:1")
    for wrong in ("mask-type", "MaskType", "masktype", "mask_types"):
        record = changed("queries", ["mask_type"], DROP)
        record[wrong] = "modal"
        with pytest.raises(DataError, match=f"key '{wrong}': unknown; did you mean 'mask_type'"):
            QueryRecord.from_json(record, "f:1")


def test_code_errors_are_rle_errors() -> None:
    with pytest.raises(RLEError, match="f:1, key 'ignore'"):
        QueryRecord.from_json(changed("queries", ["ignore"], SMALL), "f:1")


@pytest.mark.parametrize("kind", KINDS)
def test_second_record_of_one_key_is_refused(kind: str, tmp_path: Path) -> None:
    _, read, _ = KINDS[kind]
    path = tmp_path / "a.jsonl"
    path.write_text((GOLDEN / f"{kind}.jsonl").read_text(encoding="utf-8") * 2, encoding="utf-8")
    rows = read(path)
    next(rows), next(rows)
    with pytest.raises(DataError, match="is already in line 1") as caught:
        next(rows)
    assert str(caught.value).startswith(f"{path}:3: ")


def test_record_of_an_answer_comes_back() -> None:
    masks = Masks.from_dense(np.eye(4, dtype=bool)[None].repeat(2, 0))
    answer = Answer(
        mask_type=MaskType.HIDDEN,
        mask_type_probability={MaskType.HIDDEN: 0.75, MaskType.MODAL: 0.25},
        masks=masks,
        scores=np.array([0.5, 0.25], np.float32),
        modal=masks,
        amodal=masks,
        no_target_probability=0.1,
        seconds=0.5,
    )
    prediction = prediction_from_answer("a#0", answer)
    record = json.loads(json.dumps(prediction.to_json()))
    assert record["mask_type"] == "hidden"
    assert record["mask_type_probability"] == {"modal": 0.25, "amodal": 0.0, "hidden": 0.75}
    assert [mask["score"] for mask in record["masks"]] == [0.5, 0.25]
    assert Prediction.from_json(record, "f:1") == prediction


def test_dataset_json_counts_and_hashes(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(b"abc")
    write_entities(tmp_path / "entities-val.jsonl", read_entities(GOLDEN / "entities.jsonl"))
    write_queries(tmp_path / "queries-val.jsonl", read_queries(GOLDEN / "queries.jsonl"))
    write_queries(tmp_path / "queries.jsonl", [])
    write_dataset_json(tmp_path, name="toy", license="CC0-1.0", source="a test")
    card = read_dataset_json(tmp_path)
    assert (card["format"], card["name"]) == ("askmask/1", "toy")
    assert card["splits"] == {"val": {"images": 2, "queries": 2}}
    assert set(card["sha256"]) == {
        *("entities-val.jsonl", "queries-val.jsonl", "queries.jsonl", "images/a.png")
    }
    assert card["sha256"]["images/a.png"].startswith("ba7816bf")


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": "coco"}', "nonsense"])
def test_other_dataset_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "dataset.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"dataset\.json"):
        read_dataset_json(tmp_path)


@pytest.mark.skipif(not BENCHMARKS, reason="no benchmark folders beside the checkout")
def test_benchmark_folders_come_back_equal(tmp_path: Path) -> None:
    for folder in BENCHMARKS:
        read_dataset_json(folder)
        for kind in ("entities", "queries"):
            _, read, write = KINDS[kind]
            for path in folder.glob(f"{kind}*.jsonl"):
                write(tmp_path / path.name, read(path))
                assert lines(tmp_path / path.name) == lines(path)


@pytest.mark.parametrize("lines_between", [0, 1_500])
def test_no_record_with_a_broken_code_comes(tmp_path: Path, lines_between: int) -> None:
    path = tmp_path / "predictions.jsonl"
    good = [{"id": f"{i}"} for i in range(lines_between)]
    broken = {"id": "broken", "fused": {"size": [2, 2], "counts": "3"}}
    after = [{"id": f"after {i}"} for i in range(1_200)]
    records = [json.dumps(record) for record in [*good, broken, *after]]
    for content in (records, [*records, "{"]):
        path.write_text("\n".join(content) + "\n", encoding="utf-8")
        rows = read_predictions(path)
        came: list[str] = []
        with pytest.raises(RLEError, match=rf":{lines_between + 1}, key 'fused': RLE counts"):
            came.extend(row.id for row in rows)
        assert came == [f"{i}" for i in range(len(came))]  # blocks in front of it, if any
        assert "broken" not in came


def test_codes_are_checked_at_once_where_no_checks_wait() -> None:
    record = {"good": SMALL, "broken": {**SMALL, "counts": "3"}}
    fields = Fields(record, "f:1", frozenset(record))
    assert fields.code("good", (2, 2)) == SMALL
    with pytest.raises(RLEError, match="f:1, key 'broken': RLE counts"):
        fields.code("broken", (2, 2))


def test_records_in_front_of_an_error_come(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_text('{"id": "a"}\n{"id": "b"}\n{"id": 3}\n', encoding="utf-8")
    rows = read_predictions(path)
    assert [next(rows).id, next(rows).id] == ["a", "b"]
    with pytest.raises(DataError, match=":3, key 'id'"):
        next(rows)


def test_records_know_their_place_but_do_not_write_it(tmp_path: Path) -> None:
    (first, second) = read_queries(GOLDEN / "queries.jsonl")
    assert [first.place, second.place] == [f"{GOLDEN / 'queries.jsonl'}:{i}" for i in (1, 2)]
    assert "place" not in first.to_json()
    assert QueryRecord.from_json(first.to_json(), "elsewhere") == first
