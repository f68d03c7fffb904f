"""What R2SM and Rea2Seg found, asked again as paired comparisons on the same queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from rows import FUSED, Row

from askmask.formats.askmask import Prediction, QueryRecord, read_predictions, read_queries
from askmask.metrics import Difference, Report, compare, evaluate
from askmask.metrics.figures import Rules
from askmask.metrics.protocols import PROTOCOLS, Protocol
from askmask.pantry.splits.sgdr import SGDR_TAG
from askmask.types import MaskType

__all__ = ["Answered", "Asked", "Question", "questions"]

_MASKS = replace(PROTOCOLS["select"], metrics=("gIoU", "boundary-IoU"), slices=())
_FUSED = replace(PROTOCOLS["select"], metrics=("gIoU",), slices=())
_INSTANCES = replace(_FUSED, rules=Rules(unit="instance"))
_JUDGEMENTS = ("N-acc", "T-acc", "mask-type-accuracy")
_WORDS = replace(PROTOCOLS["select"], metrics=("gIoU", *_JUDGEMENTS), slices=())


@dataclass(frozen=True)
class Asked:
    """The queries that all rows answered.

    Attributes:
        path: their file.
    """

    path: Path

    @cached_property
    def records(self) -> Mapping[str, QueryRecord]:
        """Query by id."""
        return {record.id: record for record in read_queries(self.path)}

    def where(self, keep: Callable[[QueryRecord], bool]) -> dict[str, str]:
        """Id of every query that is kept, under its own name."""
        return {name: name for name, record in self.records.items() if keep(record)}

    @cached_property
    def twins(self) -> tuple[dict[str, str], dict[str, str]]:
        """Modal and amodal query of each pair with targets, both under the amodal one's name."""
        modal, amodal = {}, {}
        for record in self.records.values():
            others = [self.records[name] for name in record.twins if name in self.records]
            for other in others if record.targets else ():
                pair = {each.mask_type: each.id for each in (record, other)}  # either has the tag
                if pair.keys() == {MaskType.MODAL, MaskType.AMODAL}:
                    name = pair[MaskType.AMODAL]
                    modal[pair[MaskType.MODAL]] = amodal[name] = name
        return modal, amodal


@dataclass(frozen=True)
class Answered:
    """What one row answered, with its first seed.

    Attributes:
        row: the row.
        folder: of the predictions.
        blind: of those without the picture, or None.
    """

    row: Row
    folder: Path
    blind: Path | None

    def report(
        self, asked: Asked, names: Mapping[str, str], protocol: Protocol, *, blind: bool = False
    ) -> Report:
        """Score some of the queries, which come under the names given."""
        folder = self.blind if blind and self.blind is not None else self.folder
        kept: dict[str, Prediction] = {
            one.id: one for one in read_predictions(folder / "predictions.jsonl") if one.id in names
        }
        return evaluate(
            [replace(asked.records[name], id=new) for name, new in names.items()],
            [replace(kept[name], id=new) for name, new in names.items()],
            protocol,
        )


Line = tuple[str, Sequence[Difference]]
"""A row's name and its differences."""


@dataclass(frozen=True)
class Question:
    """A question, what is compared, and the differences of each row, in [-1, 1]."""

    title: str
    told: str
    columns: Sequence[str]
    lines: Sequence[Line]


def questions(answered: Sequence[Answered], asked: Asked) -> Iterator[Question]:
    """Ask all questions that the rows can answer."""
    by_name = {one.row.name: one for one in answered}
    pairs = [
        (one, by_name[one.row.base.name])
        for one in answered
        if one.row.base is not None and one.row.base.name in by_name
    ]
    found = [
        _tuning(pairs, asked),
        _blur(pairs, asked),
        _fusing(answered, asked),
        _easier(answered, asked),
        _options(by_name, asked),
        _words(answered, asked),
    ]
    yield from (question for question in found if question.lines)


def _of_type(kind: MaskType) -> Callable[[QueryRecord], bool]:
    return lambda record: record.mask_type == kind


def _tuning(pairs: Sequence[tuple[Answered, Answered]], asked: Asked) -> Question:
    kept = [asked.where(lambda record: True)]
    kept += [asked.where(_of_type(kind)) for kind in MaskType]
    lines = [
        (
            after.row.name,
            [
                compare(after.report(asked, names, _FUSED), before.report(asked, names, _FUSED))[
                    "gIoU"
                ]
                for names in kept
            ],
        )
        for after, before in pairs
    ]
    return Question(
        "Does fine-tuning on mask types always help?",
        "gIoU after fine-tuning minus before.",
        ("all", *(str(kind) for kind in MaskType)),
        lines,
    )


def _blur(pairs: Sequence[tuple[Answered, Answered]], asked: Asked) -> Question:
    names = asked.where(_of_type(MaskType.MODAL))
    lines = []
    for after, before in pairs:
        found = compare(after.report(asked, names, _MASKS), before.report(asked, names, _MASKS))
        lines.append((after.row.name, [found["gIoU"], found["boundary-IoU"]]))
    return Question(
        "Does amodal training blur modal masks?",
        "Modal queries alone, after fine-tuning minus before.",
        ("gIoU", "boundary-IoU"),
        lines,
    )


def _fusing(answered: Sequence[Answered], asked: Asked) -> Question:
    names = asked.where(lambda record: len(record.targets) > 1)
    lines = [
        (
            one.row.name,
            [
                compare(one.report(asked, names, _FUSED), one.report(asked, names, _INSTANCES))[
                    "gIoU"
                ]
            ],
        )
        for one in answered
        if one.row.system not in FUSED
    ]
    return Question(
        "Does fusing hide bad instance masks?",
        "Queries with several targets: IoU of the fused masks minus IoU of masks one by one.",
        ("hidden by fusing",),
        lines,
    )


def _easier(answered: Sequence[Answered], asked: Asked) -> Question:
    modal, amodal = asked.twins
    lines = [
        (
            one.row.name,
            [compare(one.report(asked, amodal, _FUSED), one.report(asked, modal, _FUSED))["gIoU"]],
        )
        for one in answered
        if modal
    ]
    return Question(
        "Are amodal queries easier in gIoU?",
        "Twins: gIoU of the amodal query minus that of the modal one for the same targets.",
        ("amodal minus modal",),
        lines,
    )


def _options(by_name: Mapping[str, Answered], asked: Asked) -> Question:
    names = asked.where(lambda record: True)
    lines = []
    for one in by_name.values():
        plain = by_name.get(replace(one.row, options=()).name)
        if plain is not None and plain is not one:
            ours, theirs = (each.report(asked, names, _FUSED) for each in (one, plain))
            lines.append((one.row.name, [compare(ours, theirs)["gIoU"]]))
    return Question(
        "What do decoding one by one, more candidates and a second stage bring?",
        "gIoU with the option minus the row without.",
        ("difference",),
        lines,
    )


def _words(answered: Sequence[Answered], asked: Asked) -> Question:
    kept = [
        (asked.where(lambda record: bool(record.targets)), ("gIoU",)),
        (asked.where(lambda record: SGDR_TAG in record.tags), ("gIoU",)),
        (asked.where(lambda record: True), _JUDGEMENTS),
    ]
    lines = []
    for one in answered:
        if one.blind is None:
            continue
        found: list[Difference] = []
        for names, metrics in kept:
            seeing, blind = (one.report(asked, names, _WORDS, blind=each) for each in (False, True))
            differences = compare(seeing, blind)
            found += [differences[metric] for metric in metrics]
        lines.append((one.row.name, found))
    return Question(
        "How much do the words alone explain?",
        "With the picture minus with a grey one of its size, in which no mask can be right.",
        ("gIoU of queries with targets", "gIoU of sgdr", *_JUDGEMENTS),
        lines,
    )
