"""A judge that knows the truth loses nothing: what the candidates allow is what comes out.

Name, parts, numbered picture, HTTP, JSON, group, mask type and score: everything but the judgement
is real.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fake_llm_server import FakeServer

from askmask import rle
from askmask.formats.askmask import (
    EntityRecord,
    QueryRecord,
    read_entities,
    read_queries,
    write_queries,
)
from askmask.models.oracle import AS_ANSWERED, SHOWN
from askmask.models.pipeline import Pipeline
from askmask.models.registry import load
from askmask.pantry.build import build_scenes
from askmask.pantry.language.folder import build_queries_folder
from askmask.runs.decompose import decompose

pytest.importorskip("cv2")  # scenes are composed with it


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four composed scenes and sentences about them, no sentence twice."""
    out = tmp_path_factory.mktemp("scenes")
    build_scenes(out, count=4, seed=50, size_hw=(240, 320))
    build_queries_folder(out, split="val", per_image=8, seed=0, pool="test")
    queries = {query.text: query for query in read_queries(out / "queries-val.jsonl")}
    write_queries(out / "queries-val.jsonl", queries.values())
    return out


class Truth:
    """Answers as the rules of the judge say, of what is true.

    Attributes:
        pipeline: whose current candidates are shown, the surest first.
    """

    pipeline: Pipeline

    def __init__(self, folder: Path) -> None:
        entities = {one.image: one for one in read_entities(folder / "entities-val.jsonl")}
        queries = read_queries(folder / "queries-val.jsonl")
        self._known = {query.text: (query, entities[query.image]) for query in queries}

    def __call__(self, message: str) -> str:
        found = re.search(r'The sentence: (".*")', message)
        assert found is not None, message
        query, record = self._known[json.loads(found[1])]
        fits = [{"number": number, "fit": 9} for number in self._numbers(query, record)]
        return json.dumps(
            {"rationale": "so it is", "mask_type": query.mask_type, "candidates": fits}
        )

    def _numbers(self, query: QueryRecord, record: EntityRecord) -> list[int]:
        """Number of the candidate that shows each target best, of those that have one."""
        candidates = self.pipeline.candidates
        shown = np.argsort(-candidates.score, kind="stable")
        iou = rle.iou_matrix(
            [candidates.modal.rles[place] for place in shown],
            [entity.modal for entity in record.entities],
        )
        iou *= iou == iou.max(1, keepdims=True, initial=0)  # each shows one thing only
        places = {entity.id: place for place, entity in enumerate(record.entities)}
        best = [iou[:, places[target.entity]] for target in query.targets]
        return [int(one.argmax()) + 1 for one in best if one.max(initial=0) >= SHOWN]


def scores(folder: Path, server: FakeServer, writes: Callable[[str], str]) -> dict[str, float]:
    """Name of an oracle -> gIoU, of a whole model whose judge answers with `writes`."""
    server.writes = writes
    model = load(f"embedded-v1+embedded-v1+openai:tiny@{server.url}/v1,mask_type=asked,tries=1")
    assert isinstance(model, Pipeline)
    if isinstance(writes, Truth):
        writes.pipeline = model
    oracles = decompose(model, folder / "queries-val.jsonl").to_json()["oracles"]
    return {name: metrics["gIoU"]["value"] for name, metrics in oracles.items()}


def test_a_judge_that_knows_the_truth_reaches_what_the_candidates_allow(
    folder: Path, llm_server: FakeServer
) -> None:
    giou = scores(folder, llm_server, Truth(folder))
    assert giou[AS_ANSWERED] == giou["type+selection"]
    assert 0.4 < giou[AS_ANSWERED] < 1


def test_a_judge_that_does_not_falls_short(folder: Path, llm_server: FakeServer) -> None:
    nothing = '{"rationale": "", "mask_type": "modal", "candidates": []}'
    giou = scores(folder, llm_server, lambda message: nothing)
    assert giou[AS_ANSWERED] < giou["type+selection"] - 0.2
