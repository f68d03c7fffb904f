"""COCO's result list of a prediction: `[{image_id, category_id, segmentation, score, bbox}, …]`.

The unit is the query: `image_id` is its id, as `--to coco` writes it for queries and `askmask
evaluate` reads it. `category_id` is 1, since a query has one class: what it asks for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from askmask.errors import ConfigError
from askmask.formats.askmask import Prediction
from askmask.formats.coco import bbox_xywh, query_units
from askmask.formats.collection import Collection, Losses, Options
from askmask.formats.foreign import write_foreign_json

__all__ = ["write_coco_results"]


def _rows(prediction: Prediction, image: int | str) -> list[dict[str, Any]]:
    masks = [(one.segmentation, one.score) for one in prediction.masks]
    if not masks and prediction.fused is not None:
        masks = [(prediction.fused, 1.0)]
    return [
        {
            "image_id": image,
            "category_id": 1,
            "segmentation": code,
            "score": score,
            "bbox": bbox_xywh(code),
            "mask_type": prediction.mask_type,
        }
        for code, score in masks
    ]


def write_coco_results(collection: Collection, out: Path, options: Options, losses: Losses) -> None:
    """Write predictions as COCO's result list.

    Raises:
        ConfigError: when there are no predictions, or one of a query that is not there.
    """
    split = collection.only()
    split.kind("predictions")
    units = query_units(split.queries)
    rows: list[dict[str, Any]] = []
    for prediction in split.predictions:
        if prediction.id not in units:
            raise ConfigError(
                f"prediction {prediction.id!r}: there is no such query; name the queries file with "
                "--queries"
            )
        found = _rows(prediction, units[prediction.id])
        rows += found
        why = "COCO's result list has masks with scores only"
        losses.add("answers that nothing fits", not found and prediction.error is None, why)
        losses.add("failed queries", prediction.error is not None, why)
        losses.add("fused masks", prediction.fused is not None and bool(prediction.masks), why)
        losses.add("scores", prediction.fused is not None and not prediction.masks, "set to 1")
        probability = prediction.mask_type_probability is not None
        losses.add("mask type probabilities", probability, why)
        losses.add("no-target probabilities", prediction.no_target_probability is not None, why)
        losses.add("rationales", prediction.rationale is not None, why)
        for kind in ("modal", "amodal"):
            other = [getattr(one, kind) for one in prediction.masks if prediction.mask_type != kind]
            losses.add(f"{kind} masks", sum(code is not None for code in other), why)
        losses.add("labels", sum(one.label is not None for one in prediction.masks), why)
    write_foreign_json(out, rows)
