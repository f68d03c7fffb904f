"""R2SM's Table 1 of a file of queries: pictures, instances, and queries of each type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from askmask.authoring.clean import Dropped, Reason
from askmask.formats.askmask import EntityRecord, QueryRecord
from askmask.types import MaskType

__all__ = ["Statistics"]


@dataclass
class Statistics:
    """Counts that grow with every picture.

    Attributes:
        images: pictures of the source.
        instances: annotated instances in them, also those that cannot be asked for.
        occluded: instances that are occluded and can be asked for.
        unasked: of these, those for which no amodal query was kept.
        queries: mask type -> queries.
        targets: number of targets -> queries.
        dropped: reason -> questions, or whole pictures, that were dropped.
    """

    images: int = 0
    instances: int = 0
    occluded: int = 0
    unasked: int = 0
    queries: Counter[str] = field(default_factory=Counter)
    targets: Counter[int] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def add_picture(self, record: EntityRecord) -> None:
        """Count a picture and its instances."""
        self.images += 1
        self.instances += len(record.entities)

    def add_occluded(self, occluded: frozenset[int], asked: frozenset[int]) -> None:
        """Count the occluded instances of a picture, and those that no amodal query asks for."""
        self.occluded += len(occluded)
        self.unasked += len(occluded - asked)

    def add_query(self, query: QueryRecord) -> None:
        """Count a query."""
        self.queries[str(query.mask_type)] += 1
        self.targets[len(query.targets)] += 1

    def add_dropped(self, dropped: Dropped) -> None:
        """Count what was dropped."""
        self.dropped[dropped.reason.value] += 1

    def to_json(self) -> dict[str, object]:
        """Return the counts; every reason is there, also those that never came."""
        return {
            "images": self.images,
            "instances": self.instances,
            "occluded_instances": self.occluded,
            "occluded_instances_not_asked_for": self.unasked,
            "queries": {
                kind.value: self.queries[kind.value] for kind in (MaskType.MODAL, MaskType.AMODAL)
            },
            "targets": {str(number): self.targets[number] for number in sorted(self.targets)},
            "dropped": {reason.value: self.dropped[reason.value] for reason in Reason},
        }

    def table(self, split: str) -> str:
        """Return R2SM's Table 1 for one split, and below it what was dropped and why."""
        amodal, modal = (self.queries[kind.value] for kind in (MaskType.AMODAL, MaskType.MODAL))
        head = f"{'Split':<12}{'# images':>10}{'# instances':>13}{'amodal':>10}{'modal':>10}"
        row = f"{split:<12}{self.images:>10,}{self.instances:>13,}{amodal:>10,}{modal:>10,}"
        asked = self.occluded - self.unasked
        lines = [head, row, f"occluded instances asked for: {asked:,} of {self.occluded:,}"]
        lines += [f"dropped, {reason}: {count:,}" for reason, count in _sorted(self.dropped)]
        return "\n".join(lines)


def _sorted(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
