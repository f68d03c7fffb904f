"""Queries in the manner of R2SM, as JSON to train other people's code on.

The paper gives the raw form of an answer, `<Q>…</Q><A>instance id is 3, class name is mug; …</A>`,
and the truth of a query: the union of its instances' complete or visible masks. The release's own
keys are not public, so the others here are plain words.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from askmask import rle
from askmask.formats.askmask import QueryRecord, Target
from askmask.formats.collection import Collection, Losses, Options
from askmask.formats.foreign import write_foreign_json
from askmask.formats.picture_files import relative_to

__all__ = ["write_r2sm"]


def _instance(target: Target, number: int, query: QueryRecord) -> dict[str, Any]:
    """A target; its visible mask is its own one where the query asks for that."""
    amodal = target.segmentation if query.mask_type == "amodal" else target.extra.get("amodal")
    modal = target.segmentation if query.mask_type in ("modal", None) else target.modal
    return {
        "id": number if target.entity is None else target.entity,
        "class_name": target.category or "object",
        "segmentation": amodal,
        "visible_mask": modal,
    }


def _row(number: int, query: QueryRecord, image: int, path: str) -> dict[str, Any]:
    instances = [_instance(target, place, query) for place, target in enumerate(query.targets, 1)]
    parts = (f"instance id is {one['id']}, class name is {one['class_name']}" for one in instances)
    codes = [target.segmentation for target in query.targets]
    return {
        "id": number,
        "query_id": query.id,
        "image": path,
        "image_id": image,
        "height": query.height,
        "width": query.width,
        "query": query.text,
        "mask_type": query.mask_type,
        "answer": f"<Q>{query.text}</Q><A>{'; '.join(parts)}</A>",
        "instances": instances,
        "mask": rle.union(codes, (query.height, query.width)),
    }


def write_r2sm(collection: Collection, out: Path, options: Options, losses: Losses) -> None:
    """Write queries as a JSON list, one object each.

    Queries for hidden parts stay out: R2SM has none.

    Raises:
        ConfigError: when the collection has several splits or no queries.
    """
    split = collection.only()
    split.kind("queries")
    numbers: dict[str, int] = {}
    rows: list[dict[str, Any]] = []
    for query in split.queries:
        if query.mask_type == "hidden":
            losses.add("queries for hidden parts", 1, "R2SM asks for modal and amodal masks")
            continue
        why = "R2SM's records have no place for them"
        losses.add("reference masks", len(query.references), why)
        losses.add("ignored regions", query.ignore is not None, why)
        losses.add("tags", len(query.tags), why)
        losses.add("further keys of queries", len(query.extra), why)
        image = numbers.setdefault(query.image, len(numbers) + 1)
        path = relative_to(out.parent, query.image, split.images)
        rows.append(_row(len(rows) + 1, query, image, path))
    losses.add("pictures with objects", len(split.entities), "only queries are written")
    write_foreign_json(out, rows)
