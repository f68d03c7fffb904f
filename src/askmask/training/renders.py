"""Rendered scenes that may be learnt from: folders in the askmask/1 format."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import EntityRecord, QueryRecord, read_entities, read_queries

__all__ = ["learnable", "render_digest"]


def _files(folder: Path, kind: str) -> list[Path]:
    """Files such as queries.jsonl or queries-train.jsonl.

    Raises:
        DataError: when there is none.
        ConfigError: when there is one of a test split.
    """
    found = sorted({*folder.glob(f"{kind}.jsonl"), *folder.glob(f"{kind}-*.jsonl")})
    if not found:
        raise DataError(f"{folder}: expected {kind}.jsonl or {kind}-SPLIT.jsonl, found none")
    for path in found:
        if path.stem.startswith(f"{kind}-test"):
            raise ConfigError(f"{path}: is of a test split, from which nothing may be learnt")
    return found


def learnable(folder: Path) -> Iterator[tuple[EntityRecord, tuple[QueryRecord, ...]]]:
    """Pictures of a benchmark folder and what is asked about each.

    Pictures that a query tagged "part:test" is about are left out.

    Raises:
        DataError: when files are missing.
        ConfigError: when there are files of a test split.
    """
    asked: dict[str, list[QueryRecord]] = {}
    for path in _files(folder, "queries"):
        for query in read_queries(path):
            asked.setdefault(query.image, []).append(query)
    for path in _files(folder, "entities"):
        for record in read_entities(path):
            queries = asked.get(record.image, [])
            if not any("part:test" in query.tags for query in queries):
                yield record, tuple(queries)


def render_digest(folder: Path) -> str:
    """First twelve digits of the SHA-256 over the folder's records."""
    digest = hashlib.sha256()
    for path in _files(folder, "entities") + _files(folder, "queries"):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
