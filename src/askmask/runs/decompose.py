"""Decomposition: how good a model's answers would be if one or more of its stages were perfect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from askmask.errors import AskmaskError, ConfigError, DataError
from askmask.formats.askmask import (
    EntityRecord,
    PredictedMask,
    Prediction,
    QueryRecord,
    read_entities,
    read_queries,
)
from askmask.formats.files import file_sha256
from askmask.metrics import Difference, Report, compare
from askmask.metrics.protocols import PROTOCOLS
from askmask.metrics.scoring import Scoring
from askmask.models.oracle import AS_ANSWERED, ORACLES, STAGES, Asked, Scene, oracle_masks
from askmask.models.pipeline import Pipeline
from askmask.models.segmenter import Segmenter
from askmask.rle import RLE
from askmask.runs.engine import show_picture
from askmask.types import MaskType

__all__ = ["Decomposition", "decompose", "entities_beside"]

_PROTOCOL = replace(
    PROTOCOLS["select"],
    metrics=("gIoU", "cIoU", "N-acc"),
    slices=("mask_type", "reference", "targets"),
)
_ALL = "+".join(STAGES)
_HASH_DIGITS = 12


@dataclass(frozen=True)
class Decomposition:
    """What each stage of a model loses on a set of queries.

    Attributes:
        model_id: name of the model.
        weights_hash: of its weights, or None.
        reports: name of an oracle -> figures, over the same queries.
    """

    model_id: str
    weights_hash: str | None
    reports: Mapping[str, Report]

    def gain(self, stage: str) -> Difference:
        """Gain of gIoU when only `stage`, one of `STAGES`, becomes perfect."""
        return compare(self.reports[stage], self.reports[AS_ANSWERED])["gIoU"]

    def loss(self, stage: str) -> Difference:
        """Loss of gIoU by `stage` when the other two are perfect."""
        others = "+".join(other for other in STAGES if other != stage)
        return compare(self.reports[_ALL], self.reports[others])["gIoU"]

    def to_json(self) -> dict[str, Any]:
        """Return everything as `askmask decompose --json` prints it."""
        reports = {name: report.to_json() for name, report in self.reports.items()}
        return {
            "model": {"id": self.model_id, "sha256": self.weights_hash},
            "n": self.reports[AS_ANSWERED].n,
            "oracles": {name: report["metrics"] for name, report in reports.items()},
            "slices": {
                of: {name: report["slices"][of] for name, report in reports.items()}
                for of in reports[AS_ANSWERED]["slices"]
            },
            "stages": {
                stage: {"gain": self.gain(stage).to_json(), "loss": self.loss(stage).to_json()}
                for stage in STAGES
            },
        }


def entities_beside(queries: Path) -> Path:
    """Path of the entities that belong to a queries file, e.g. entities-val.jsonl."""
    return queries.with_name(queries.name.replace("queries", "entities", 1))


def decompose(
    model: Segmenter,
    queries: Path,
    *,
    entities: Path | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Decomposition:
    """Answer all queries and score each answer once with every oracle.

    A picture is encoded once for its queries, which should follow one another. In memory stay the
    objects of all pictures, run-length coded, and columns of numbers, but no answers.

    Args:
        model: composed of stages, so that its candidates are known.
        queries: queries file; pictures are relative to it.
        entities: objects of the pictures; None takes those beside the queries.
        progress: called with the number of answered queries.

    Raises:
        ConfigError: when the model is not a `Pipeline`.
        DataError: when a file is malformed, a query cannot be answered, or its targets are not
            objects of its picture.
    """
    if not isinstance(model, Pipeline):
        raise ConfigError(
            f"model {model.model_id!r}: expected a pipeline of stages, whose candidates can be "
            "seen; score its answers with askmask predict and askmask evaluate"
        )
    objects = _objects(entities or entities_beside(queries))
    data = file_sha256(queries)[:_HASH_DIGITS]
    scoring = {
        name: Scoring(_PROTOCOL, data=data, oracle=name if known else None)
        for name, known in ORACLES.items()
    }
    ids: list[str] = []
    for image, records in groupby(read_queries(queries), key=lambda record: record.image):
        scene: Scene | None = None
        for record in records:
            try:
                if scene is None:
                    show_picture(model, queries.parent / image, record)
                    scene = _scene(objects.get(image), model)
                asked = _asked(record, objects.get(image))
                answer = model.answer(record.to_query())
            except AskmaskError as error:
                raise DataError(f"{record.place}: query {record.id}: {error}") from error
            for name, known in ORACLES.items():
                masks = oracle_masks(answer, scene, asked, known)
                prediction = _prediction(record.id, answer.mask_type, masks)
                scoring[name].add(len(ids), record, prediction)
            ids.append(record.id)
            progress(len(ids))
    reports = {name: one.report(ids) for name, one in scoring.items()}
    return Decomposition(model.model_id, model.weights_hash, reports)


def _objects(path: Path) -> dict[str, EntityRecord]:
    """Objects of every picture.

    Raises:
        DataError: when there is no such file, or it is malformed.
    """
    if not path.is_file():
        raise DataError(
            f"{path}: not found; oracles need the objects of the pictures: name them with "
            "--entities"
        )
    return {record.image: record for record in read_entities(path)}


def _scene(record: EntityRecord | None, model: Pipeline) -> Scene:
    if record is None:
        raise DataError("the entities file has no line for its picture")
    modal = [one.modal for one in record.entities]
    return Scene(modal, [one.amodal for one in record.entities], model.candidates)


def _asked(query: QueryRecord, record: EntityRecord | None) -> Asked:
    """What is right for a query.

    Raises:
        DataError: when a target does not say which object it is, or one of another picture.
    """
    places = {one.id: place for place, one in enumerate(record.entities if record else ())}
    wanted = []
    for target in query.targets:
        if target.entity is None or target.entity not in places:
            raise DataError(
                f"expected each target to name an object of the entities file, got 'entity' "
                f"{target.entity}"
            )
        wanted.append(places[target.entity])
    return Asked(query.mask_type, tuple(wanted))


def _prediction(name: str, mask_type: MaskType, masks: list[RLE]) -> Prediction:
    """The masks of an oracle as a prediction; nothing that is scored here looks at scores."""
    return Prediction(name, mask_type, masks=tuple(PredictedMask(mask, 1.0) for mask in masks))
