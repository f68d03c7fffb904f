"""What a benchmark folder holds, counted by the same families on which figures are sliced.

Pictures, instances and queries of each mask type are R2SM's Table 1; the rest says whether a
benchmark is balanced.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any

from askmask.errors import DataError
from askmask.formats.askmask import EntityRecord, QueryRecord, read_entities, read_queries
from askmask.metrics.slices import FAMILIES
from askmask.rle import RLE
from askmask.types import MaskType

__all__ = ["Statistics", "folder_statistics", "query_files", "split_statistics"]

_REASONING = "reasoning:"
_NAMED_ONCE = ("twin:", "pattern:", "frame:", _REASONING)
"""Beginnings of tags that name single wordings or queries, or are counted elsewhere."""

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_MANY = 3


def _task(query: QueryRecord) -> str:
    """The most special case of the one task that a query is."""
    if query.mask_type == MaskType.HIDDEN:
        return "hidden part"
    if query.references:
        return "ORES"
    if query.mask_type == MaskType.AMODAL:
        return "R2SM"
    if any(tag.startswith(_REASONING) for tag in query.tags):
        return "reasoning"
    return "RES" if len(query.targets) == 1 else "GRES"


def _targets(query: QueryRecord) -> str:
    count = len(query.targets)
    return str(count) if count < _MANY else f"{_MANY}+"


_COUNTED: dict[str, Callable[[QueryRecord], list[str]]] = {
    "mask type": lambda query: [str(query.mask_type or "not said")],
    "task": lambda query: [_task(query)],
    "targets": lambda query: [_targets(query)],
    "reasoning": FAMILIES["reasoning"],
    "occlusion": FAMILIES["occlusion"],
    "size": FAMILIES["size"],
    "references": lambda query: [str(len(query.references))],
    "tag": lambda query: [tag for tag in query.tags if not tag.startswith(_NAMED_ONCE)],
}
"""Family -> the names under which a query is counted in it."""


@dataclass
class Statistics:
    """Counts that grow query by query.

    Attributes:
        images: pictures of entities and queries.
        entities: annotated instances, crowds not among them; None where no file lists them.
        occluded: of these, those that are partly hidden.
        queries: number of queries.
        counts: family -> name -> queries; reasoning and tags may count a query several times.
        twins: pairs of queries for the same targets with different mask types.
        categories: nouns of entities and targets.
        words: words of each sentence.
        vocabulary: different words, in lower case.
        sentences: different sentences.
    """

    images: set[str] = field(default_factory=set)
    entities: int | None = None
    occluded: int = 0
    queries: int = 0
    counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {family: Counter() for family in _COUNTED}
    )
    twins: int = 0
    categories: set[str] = field(default_factory=set)
    words: list[int] = field(default_factory=list)
    vocabulary: set[str] = field(default_factory=set)
    sentences: set[str] = field(default_factory=set)

    def add_entities(self, record: EntityRecord) -> None:
        """Count the instances of a picture."""
        single = [entity for entity in record.entities if not entity.extra.get("iscrowd")]
        self.images.add(record.image)
        self.entities = (self.entities or 0) + len(single)
        self.occluded += sum((entity.occlusion_rate or 0) > 0 for entity in single)
        self.categories |= {entity.category for entity in single}

    def add_query(self, query: QueryRecord) -> None:
        """Count a query."""
        self.images.add(query.image)
        self.queries += 1
        for family, names in _COUNTED.items():
            self.counts[family].update(names(query))
        self.twins += bool(query.twins)
        self.categories |= {one.category for one in query.targets if one.category}
        words = _WORD.findall(query.text.lower())
        self.words.append(len(words))
        self.vocabulary |= set(words)
        self.sentences.add(query.text)

    def add(self, other: Statistics) -> None:
        """Add another split."""
        self.images |= other.images
        if other.entities is not None:
            self.entities = (self.entities or 0) + other.entities
        self.occluded += other.occluded
        self.queries += other.queries
        for family, counts in other.counts.items():
            self.counts[family] += counts
        self.twins += other.twins
        self.categories |= other.categories
        self.words += other.words
        self.vocabulary |= other.vocabulary
        self.sentences |= other.sentences

    def to_json(self) -> dict[str, Any]:
        """Return plain counts; the length of sentences, in words, is null without queries."""
        length: Mapping[str, float] | None = None
        if self.words:
            middle = {"mean": round(fmean(self.words), 2), "median": median(self.words)}
            length = {**middle, "min": min(self.words), "max": max(self.words)}
        return {
            "images": len(self.images),
            "entities": self.entities,
            "occluded_entities": None if self.entities is None else self.occluded,
            "categories": len(self.categories),
            "queries": self.queries,
            "twins": self.twins,
            "sentences": len(self.sentences),
            "sentence_words": length,
            "vocabulary": len(self.vocabulary),
            **{
                family.replace(" ", "_"): dict(sorted(counts.items()))
                for family, counts in self.counts.items()
            },
        }


def query_files(folder: Path) -> dict[str, Path]:
    """Find the queries files of a benchmark folder.

    Returns:
        Split -> file, sorted; the split of plain "queries.jsonl" is "all".

    Raises:
        DataError: when there are none.
    """
    plain = folder / "queries.jsonl"
    found = {"all": plain} if plain.is_file() else {}
    for path in sorted(folder.glob("queries-*.jsonl")):
        found[path.stem.removeprefix("queries-")] = path
    if not found:
        raise DataError(f"{folder}: expected queries-SPLIT.jsonl, found none; is it a benchmark?")
    return found


def _entities_beside(queries: Path) -> Path:
    return queries.with_name(queries.name.replace("queries", "entities", 1))


def split_statistics(queries: Path) -> Statistics:
    """Count a queries file and the entities file beside it, where there is one.

    Raises:
        DataError: naming file, line and key of what is malformed.
    """
    found = Statistics()
    whole: dict[tuple[str, int], RLE] = {}
    entities = _entities_beside(queries)
    if entities.is_file():
        found.entities = 0
        for record in read_entities(entities):
            found.add_entities(record)
            whole |= {
                (record.image, one.id): one.amodal
                for one in record.entities
                if one.amodal is not None
            }
    for query in _with_amodal(read_queries(queries), whole):
        found.add_query(query)
    return found


def _with_amodal(
    queries: Iterator[QueryRecord], whole: Mapping[tuple[str, int], RLE]
) -> Iterator[QueryRecord]:
    """Queries whose modal targets know their complete shape, from which occlusion is computed."""
    for query in queries:
        targets = tuple(
            target
            if target.entity is None
            or "amodal" in target.extra
            or (query.image, target.entity) not in whole
            else replace(
                target,
                extra={**target.extra, "amodal": whole[query.image, target.entity]},
            )
            for target in query.targets
        )
        yield replace(query, targets=targets)


def folder_statistics(folder: Path) -> dict[str, Statistics]:
    """Count all splits of a benchmark folder.

    Returns:
        Split -> counts, and "total" where there are several.

    Raises:
        DataError: when there are no queries or a file is malformed.
    """
    splits = {split: split_statistics(path) for split, path in query_files(folder).items()}
    if len(splits) > 1:
        total = Statistics()
        for one in splits.values():
            total.add(one)
        splits["total"] = total
    return splits
