"""Records as text for a while: in a temporary file, or on the way to another process.

They come back equal, `place` included, and unchecked: they were checked when they were read, or
were made in Python. Nothing but JSON is ever loaded.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from askmask.formats.prediction import PredictedMask, Prediction
from askmask.formats.records import QueryRecord, Target
from askmask.types import MaskType

__all__ = ["pack", "unpack_prediction", "unpack_query"]


def pack(record: QueryRecord | Prediction) -> str:
    """Return a record as one line of JSON, for the function below of its kind."""
    return json.dumps(asdict(record))


def unpack_query(text: str) -> QueryRecord:
    """Return the query that was packed."""
    kept = json.loads(text)
    kept["targets"] = tuple(Target(**target) for target in kept["targets"])
    kept["references"], kept["tags"] = tuple(kept["references"]), tuple(kept["tags"])
    return QueryRecord(**{**kept, "mask_type": _type(kept["mask_type"])})


def unpack_prediction(text: str) -> Prediction:
    """Return the prediction that was packed."""
    kept = json.loads(text)
    kept["masks"] = tuple(PredictedMask(**mask) for mask in kept["masks"])
    if kept["mask_type_probability"] is not None:
        shares = kept["mask_type_probability"].items()
        kept["mask_type_probability"] = {MaskType(name): share for name, share in shares}
    return Prediction(**{**kept, "mask_type": _type(kept["mask_type"])})


def _type(name: Any) -> MaskType | None:
    return None if name is None else MaskType(name)
