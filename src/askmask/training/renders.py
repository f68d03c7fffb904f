"""Rendered scenes that may be learnt from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from askmask.formats.askmask import EntityRecord, read_entities, read_queries

__all__ = ["learnable"]


def learnable(folder: Path) -> Iterator[EntityRecord]:
    """Pictures of a benchmark folder, but for those of its test part (queries "part:test")."""
    tested = {
        query.image for query in read_queries(folder / "queries.jsonl") if "part:test" in query.tags
    }
    for record in read_entities(folder / "entities.jsonl"):
        if record.image not in tested:
            yield record
