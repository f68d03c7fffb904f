"""Mask groups from any annotated pictures, after MaskGroups-2M: a prompt and all objects it means.

Groups are made by category, attribute, location, relation and in free form, with and without
reference masks in the prompt. Every answer follows from the annotation alone: what is unclear is
dropped, and a crowd that may hold further members is not scored. Prompts ask for visible parts.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np

from askmask import rle
from askmask.authoring.groups.criteria import Criterion, Group, UnclearError, draw
from askmask.authoring.groups.picture import Picture
from askmask.authoring.groups.words import request
from askmask.datasets.coco import read_coco
from askmask.datasets.coco_amodal import read_coco_amodal
from askmask.datasets.cocoa import is_cocoa, read_cocoa
from askmask.datasets.lvis import is_lvis, read_lvis
from askmask.errors import ConfigError, DataError, OutputError
from askmask.formats.askmask import (
    EntityRecord,
    QueryRecord,
    Target,
    read_entities,
    write_dataset_json,
    write_entities,
    write_queries,
)
from askmask.types import MaskType

__all__ = ["GroupsPlan", "GroupsReport", "build_groups", "build_groups_folder", "read_annotations"]

_ATTEMPTS = 8
"""Draws a criterion before another one is tried."""

_SINGLE = 0.5
"""Chance to keep a group of one: annotations would give them far more often than people ask."""


@dataclass(frozen=True)
class GroupsPlan:
    """What is built.

    Attributes:
        per_image: groups a picture, at most.
        references: share of prompts with reference masks; 28 % as in MaskGroups-HQ.
        no_target: share of prompts that nothing fits.
        complete: whether every object in the pictures is annotated; then prompts may say "objects".
        seed: source of chance.
    """

    per_image: int = 10
    references: float = 0.28
    no_target: float = 0.05
    complete: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        shares = self.references, self.no_target
        if self.per_image < 1 or self.seed < 0 or not all(0 <= share <= 1 for share in shares):
            raise ConfigError(
                "mask groups: expected 1 or more a picture, shares in [0, 1] and a seed of 0 or "
                f"more, got {self.per_image}, {self.references}, {self.no_target} and {self.seed}"
            )


@dataclass
class GroupsReport:
    """What was built so far; `unclear` counts phrases dropped for an answer that cannot be told."""

    pictures: int = 0
    queries: int = 0
    with_references: int = 0
    no_target: int = 0
    unclear: int = 0
    criteria: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON."""
        return {**vars(self), "criteria": dict(self.criteria)}

    def add(self, group: Group, criterion: Criterion) -> None:
        """Count one group."""
        self.queries += 1
        self.with_references += bool(group.references)
        self.no_target += not group.members
        self.criteria[criterion] += 1

    def owes(self, done: int, share: float) -> bool:
        """Whether one more of a kind, of which there are `done`, brings its share nearer."""
        return share * (self.queries + 1) - done >= 0.5


def read_annotations(
    path: Path, segmentation: Literal["modal", "amodal"] = "modal"
) -> Iterator[EntityRecord]:
    """Read askmask entity lines (.jsonl), or a file of COCO, LVIS or COCOA (.json).

    Args:
        path: the file.
        segmentation: what that key of a COCO file holds; "amodal" for COCOA-cls, D2SA and KINS.
            Those of LVIS and COCOA are known by their other keys.

    Raises:
        DataError: when the file is not what its name says.
    """
    if path.suffix == ".jsonl":
        return read_entities(path)
    if path.suffix != ".json":
        raise DataError(f"{path}: expected a COCO-style .json file or askmask entity lines, .jsonl")
    if is_cocoa(path):
        return read_cocoa(path)
    if is_lvis(path):
        return read_lvis(path)
    return read_coco_amodal(path) if segmentation == "amodal" else read_coco(path)


def build_groups(
    records: Sequence[EntityRecord],
    plan: GroupsPlan,
    *,
    dataset: str = "mask-groups",
    report: GroupsReport | None = None,
) -> Iterator[QueryRecord]:
    """Make groups picture by picture.

    Args:
        records: annotated pictures; their order counts, as shares are kept over all of them.
        plan: what to build.
        dataset: name for the tag "dataset:NAME".
        report: counts, filled while the queries are made.

    Yields:
        Query records, at most `plan.per_image` a picture and fewer where little can be said.

    Raises:
        DataError: when two pictures would give the same query ids.
    """
    report = report or GroupsReport()
    categories = sorted({entity.category for record in records for entity in record.entities})
    for index, (record, name) in enumerate(zip(records, _names(records), strict=True)):
        rng = np.random.default_rng([plan.seed, index])
        picture = Picture(record, categories)
        groups = _groups_of(picture, plan, rng, report)
        for number, (criterion, group) in enumerate(groups):
            text = request(group.phrase, rng)
            yield _query(picture, group, criterion, text, f"{name}#{number}", dataset)
        report.pictures += 1


def _names(records: Sequence[EntityRecord]) -> list[str]:
    """Picture names without their ending and without the folders that all of them share.

    Raises:
        DataError: when two pictures would have the same name.
    """
    paths = [PurePosixPath(record.image).with_suffix("") for record in records]
    shared = os.path.commonpath([path.parent for path in paths]) if paths else ""
    names = [path.relative_to(shared).as_posix() for path in paths]
    double = next((name for name, times in Counter(names).items() if times > 1), None)
    if double is not None:
        raise DataError(f"{double}: expected one picture of that name, got two; rename one")
    return names


def _groups_of(
    picture: Picture, plan: GroupsPlan, rng: np.random.Generator, report: GroupsReport
) -> Iterator[tuple[Criterion, Group]]:
    """Different groups of one picture, those first of which too few were made so far."""
    seen: set[object] = set()
    for _ in range(plan.per_image if picture.n else 0):
        referring = report.owes(report.with_references, plan.references)
        empty = report.owes(report.no_target, plan.no_target)
        for one, other in dict.fromkeys(
            ((referring, empty), (referring, False), (False, empty), (False, False))
        ):
            found = _one_group(picture, plan, rng, report, seen, one, other)
            if found is not None:
                break
        else:
            return
        report.add(found[1], found[0])
        yield found


def _one_group(
    picture: Picture,
    plan: GroupsPlan,
    rng: np.random.Generator,
    report: GroupsReport,
    seen: set[object],
    referring: bool,
    empty: bool,
) -> tuple[Criterion, Group] | None:
    """A group that the picture does not have yet, by the rarest criterion that gives one."""
    for criterion in sorted(Criterion, key=lambda one: report.criteria[one]):
        for _ in range(_ATTEMPTS):
            try:
                group = draw(picture, criterion, rng, referring=referring, complete=plan.complete)
            except UnclearError:
                report.unclear += 1
                continue
            if group is None or bool(group.members) is empty:
                continue
            if len(group.members) == 1 and rng.random() >= _SINGLE:
                continue
            # With members, one phrase for a set is enough; without, phrases are all that differs.
            key = (group.members or group.phrase, frozenset(group.references))
            if key not in seen:
                seen.add(key)
                return criterion, group
    return None


def _query(
    picture: Picture, group: Group, criterion: Criterion, text: str, name: str, dataset: str
) -> QueryRecord:
    record = picture.record
    tags = [f"criterion:{criterion}", *group.tags]
    tags += ["group"] * (len(group.members) > 1) + ["no-target"] * (not group.members)
    tags += ["reference"] * bool(group.references) + [f"dataset:{dataset}"]
    objects = picture.objects
    return QueryRecord(
        id=name,
        image=record.image,
        height=record.height,
        width=record.width,
        text=text,
        references=tuple(objects[one].modal for one in group.references),
        mask_type=MaskType.MODAL,
        targets=tuple(
            Target(objects[one].modal, objects[one].id, objects[one].category, objects[one].modal)
            for one in group.members
        ),
        ignore=rle.union(group.ignore, picture.size_hw) if group.ignore else None,
        tags=tuple(tags),
    )


def build_groups_folder(
    source: Path,
    out: Path,
    *,
    plan: GroupsPlan,
    split: str = "val",
    images: Path | None = None,
    segmentation: Literal["modal", "amodal"] = "modal",
    progress: Callable[[int], None] | None = None,
) -> GroupsReport:
    """Write a benchmark folder of mask groups: queries, entities and dataset.json.

    Pictures are not copied: the lines name them where they are, relative to the folder. The same
    source and arguments give the same bytes.

    Args:
        source: COCO-style annotations (.json) or askmask entity lines (.jsonl).
        out: folder to make or to add a split to.
        plan: what to build.
        split: name of the split.
        images: folder of the pictures; None for the source's own.
        segmentation: see `read_annotations`.
        progress: called with the number of finished pictures after each of them.

    Returns:
        What was built.

    Raises:
        DataError: when the source cannot be read or has nothing to ask for.
        OutputError: when the folder cannot be written, or is the source's own.
    """
    if out.resolve() == source.parent.resolve():
        raise OutputError(f"{out}: holds the source {source.name}; choose another folder")
    home = source.parent if images is None else images
    records = [
        _moved(record, home, out)
        for record in read_annotations(source, segmentation)
        if record.entities
    ]
    report = GroupsReport()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot make the folder ({error.strerror})") from error

    def queries() -> Iterator[QueryRecord]:
        for query in build_groups(records, plan, dataset=out.name, report=report):
            yield query
            if progress is not None:
                progress(report.pictures)
        if not report.queries:
            raise DataError(f"{source}: has no objects that a prompt could ask for")

    write_queries(out / f"queries-{split}.jsonl", queries())
    write_entities(out / f"entities-{split}.jsonl", records)
    write_dataset_json(
        out,
        name=out.name,
        license="pictures and masks as their source; sentences CC-BY-4.0",
        source=f"mask groups from {source.name}, askmask build groups --seed {plan.seed}",
    )
    return report


def _moved(record: EntityRecord, home: Path, out: Path) -> EntityRecord:
    """The record with its picture's path relative to `out`."""
    path = os.path.relpath(home / record.image, out)
    return EntityRecord(
        PurePosixPath(Path(path)).as_posix(),
        record.height,
        record.width,
        record.entities,
        record.extra,
    )
