"""`askmask decompose`: each kind of mistake is laid at the door of its stage."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_result import Run
from fake_segmenter import picture
from numpy.typing import NDArray

from askmask import rle
from askmask.formats.askmask import (
    Entity,
    EntityRecord,
    QueryRecord,
    Target,
    write_entities,
    write_queries,
)
from askmask.types import MaskType


def box(x0: int, y0: int, x1: int, y1: int) -> NDArray[np.bool_]:
    mask = np.zeros((40, 60), bool)
    mask[y0:y1, x0:x1] = True
    return mask


RED = (picture() == (200, 0, 0)).all(2)
# The true blue box is twice as wide as what the fake finds; nothing finds the black one.
TRUE = {
    1: (RED, box(5, 5, 25, 25)),
    2: (box(35, 5, 55, 35), box(35, 5, 55, 35)),
    3: (box(0, 36, 10, 40), box(0, 36, 10, 40)),
}


def query(name: str, text: str, mask_type: MaskType, *objects: int) -> QueryRecord:
    kinds = {MaskType.MODAL: 0, MaskType.AMODAL: 1}
    targets = [
        Target(rle.encode(TRUE[one][kinds[mask_type]]), one, modal=rle.encode(TRUE[one][0]))
        for one in objects
    ]
    return QueryRecord(name, "kitchen.png", 40, 60, text, tuple(targets), mask_type=mask_type)


RIGHT = query("right", "the red one", MaskType.MODAL, 1)
WRONG_TYPE = query("type", "all of the red one", MaskType.AMODAL, 1)
WRONG_GROUP = query("selection", "the green one", MaskType.MODAL, 1)
ROUGH = query("masks", "the blue one", MaskType.MODAL, 2)
MISSED = query("missed", "the black one", MaskType.MODAL, 3)
NOTHING = query("nothing", "the red elephant", MaskType.MODAL)


@pytest.fixture
def folder(kitchen: Path) -> Path:
    """The folder of the picture, with its objects."""
    entities = tuple(
        Entity(one, "box", rle.encode(modal), rle.encode(amodal))
        for one, (modal, amodal) in TRUE.items()
    )
    write_entities(
        kitchen.parent / "entities.jsonl", [EntityRecord("kitchen.png", 40, 60, entities)]
    )
    return kitchen.parent


def giou(run: Run, folder: Path, *records: QueryRecord) -> dict[str, float]:
    write_queries(folder / "queries.jsonl", records)
    result = run("decompose", "queries.jsonl", "--json")
    assert result.code == 0, result
    assert result.err == ""
    return {name: row["gIoU"]["value"] for name, row in json.loads(result.out)["oracles"].items()}


def perfect_with(values: dict[str, float]) -> set[str]:
    return {name for name, value in values.items() if value == 1}


@pytest.mark.parametrize(
    ("record", "answered", "needed"),
    [
        (RIGHT, 1.0, set()),
        (WRONG_TYPE, 0.75, {"type"}),
        (WRONG_GROUP, 0.0, {"selection"}),
        (ROUGH, 0.5, {"masks"}),
        (NOTHING, 0.0, {"selection"}),
    ],
)
def test_a_mistake_goes_with_its_stage_alone(
    run: Run, folder: Path, record: QueryRecord, answered: float, needed: set[str]
) -> None:
    values = giou(run, folder, record)
    assert values["as answered"] == pytest.approx(answered)
    assert perfect_with(values) == {name for name in values if needed <= {*name.split("+")}}


def test_what_no_candidate_shows_stays_lost(run: Run, folder: Path) -> None:
    values = giou(run, folder, MISSED)
    assert {*values.values()} == {0.0}


def test_answers_are_those_of_predict(run: Run, folder: Path) -> None:
    records = (RIGHT, WRONG_TYPE, WRONG_GROUP, ROUGH, MISSED, NOTHING)
    values = giou(run, folder, *records)
    assert run("predict", "queries.jsonl", "--out", "answers").code == 0
    scored = run("evaluate", "answers", "--against", "queries.jsonl", "--json").out
    assert json.loads(scored)["metrics"]["gIoU"]["value"] == values["as answered"]


def test_gain_loss_and_slices_are_reported_with_intervals(run: Run, folder: Path) -> None:
    giou(run, folder, RIGHT, WRONG_TYPE, WRONG_GROUP, NOTHING)
    found = json.loads(run("decompose", "queries.jsonl", "--json", "--out", "all.json").out)
    assert found == json.loads(Path("all.json").read_text())
    assert found["n"] == 4
    assert found["model"]["id"] == "embedded-v1"
    stages = found["stages"]
    assert stages["type"]["gain"]["value"] == pytest.approx(0.25 / 4)
    assert stages["selection"]["gain"]["value"] == pytest.approx(2 / 4)
    assert stages["selection"]["loss"]["value"] == pytest.approx(2 / 4)
    assert stages["masks"]["loss"]["value"] == 0
    gain = stages["selection"]["gain"]
    assert gain["low"] < gain["value"] < gain["high"]
    amodal = found["slices"]["mask_type=amodal"]
    assert amodal["type"]["gIoU"]["value"] == 1
    assert amodal["type"]["gIoU"]["n"] == 1
    assert found["oracles"]["as answered"]["N-acc"]["value"] == 0
    assert found["oracles"]["selection"]["N-acc"]["value"] == 1
    assert "|oracle:type+selection|" in found["oracles"]["type+selection"]["gIoU"]["signature"]
    assert "oracle" not in found["oracles"]["as answered"]["gIoU"]["signature"]


def test_the_tables_fit_a_narrow_terminal(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    giou(run, folder, RIGHT, WRONG_TYPE, WRONG_GROUP, NOTHING)
    out = run("decompose", "queries.jsonl").out
    for words in (
        "4 queries",
        "type+selection+masks",
        "mask_type=amodal",
        "t+s+m",
        "|oracle:type|",
    ):
        assert words in out
    assert "…" not in out


def test_no_queries_no_figures(run: Run, folder: Path) -> None:
    write_queries(folder / "queries.jsonl", [])
    assert run("decompose", "queries.jsonl").code == 0
    found = json.loads(run("decompose", "queries.jsonl", "--json").out)
    assert found["oracles"]["type"]["gIoU"]["value"] is None


class TestRefusals:
    def test_a_model_without_stages(self, run: Run, folder: Path) -> None:
        write_queries(folder / "queries.jsonl", [RIGHT])
        result = run("decompose", "queries.jsonl", "--model", "pointless")
        assert "expected a pipeline of stages" in result.error

    def test_no_entities(self, run: Run, kitchen: Path) -> None:
        write_queries("queries-val.jsonl", [RIGHT])
        assert "entities-val.jsonl: not found" in run("decompose", "queries-val.jsonl").error

    def test_entities_of_other_pictures(self, run: Run, folder: Path) -> None:
        write_queries("queries.jsonl", [RIGHT])
        write_entities("others.jsonl", [EntityRecord("other.png", 40, 60, ())])
        error = run("decompose", "queries.jsonl", "--entities", "others.jsonl").error
        assert error.startswith("queries.jsonl:1: query right: the entities file has no line")

    @pytest.mark.parametrize("entity", [None, 9])
    def test_targets_that_are_no_object(self, run: Run, folder: Path, entity: int | None) -> None:
        target = Target(rle.encode(RED), entity)
        record = QueryRecord("odd", "kitchen.png", 40, 60, "red", (target,))
        write_queries("queries.jsonl", [RIGHT, record])
        error = run("decompose", "queries.jsonl").error
        assert error.startswith("queries.jsonl:2: query odd: expected each target to name")

    def test_a_picture_of_another_size(self, run: Run, folder: Path) -> None:
        write_queries("queries.jsonl", [QueryRecord("q", "kitchen.png", 41, 60, "red", ())])
        assert "expected 41 x 60 pixels" in run("decompose", "queries.jsonl").error
