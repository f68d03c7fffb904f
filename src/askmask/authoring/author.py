"""From annotated pictures to a benchmark folder of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from askmask.authoring.asking import ask_each
from askmask.authoring.batching import ask_in_batches
from askmask.authoring.clean import Dropped, Reason, clean_reply
from askmask.authoring.cost import Budget, Estimate, estimate
from askmask.authoring.grammar import GrammarWriter
from askmask.authoring.journal import Journal
from askmask.authoring.parse import Question
from askmask.authoring.picture import AnnotatedPicture, Instance
from askmask.authoring.statistics import Statistics
from askmask.authoring.writer import BatchWriter, Request, Writer, make_request
from askmask.errors import ConfigError, OutputError
from askmask.formats.askmask import (
    EntityRecord,
    QueryRecord,
    Target,
    write_dataset_json,
    write_entities,
    write_queries,
)
from askmask.formats.files import write_json, write_jsonl
from askmask.llm.chat import Price
from askmask.types import MaskType

__all__ = ["Authoring", "Outcome"]

_LICENSE = "sentences: as their writer's; pictures and masks: as their source's"


@dataclass(frozen=True)
class Outcome:
    """What a run made.

    Attributes:
        statistics: counts of pictures, queries and what was dropped.
        dollars: spent so far, earlier starts among it; None without a price.
        not_asked: pictures that the budget did not reach.
        in_doubt: requests that were out when an earlier start was killed.
    """

    statistics: Statistics
    dollars: float | None
    not_asked: int
    in_doubt: int


@dataclass(frozen=True)
class Authoring:
    """A run: which pictures, who writes, and where the queries go.

    Attributes:
        pictures: read anew at each iteration, in the same order.
        writer: who is asked.
        out: benchmark folder; made when missing.
        name: of the benchmark, in `dataset.json` and in the tag `dataset:NAME` of each query.
        split: files are called after it: queries-SPLIT.jsonl, ….
        per_type: modal, and amodal, questions a picture.
        price: of tokens, or None when nothing is to be counted.
        budget: dollars at most, or None.
        workers: requests that are out at the same time, for writers that take them one by one.
        batch_size: requests a batch at most, for writers that take many.
        poll_seconds: between two looks whether a batch is ready.
    """

    pictures: Iterable[AnnotatedPicture]
    writer: Writer | BatchWriter
    out: Path
    name: str
    split: str = "val"
    per_type: int = 5
    price: Price | None = None
    budget: float | None = None
    workers: int = 4
    batch_size: int = 200
    poll_seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.budget is not None and self.price is None:
            raise ConfigError("a budget needs a price: say --price INPUT,OUTPUT")

    @property
    def journal_path(self) -> Path:
        """The file that a resumed run continues."""
        return self.out / f"journal-{self.split}.jsonl"

    def estimate(self) -> Estimate:
        """Add up what the whole run is expected to cost; nothing is sent."""
        return estimate(self._requests(), self.price)

    def run(self, *, resume: bool = False, answered: Callable[[], None] = lambda: None) -> Outcome:
        """Ask for what is not answered yet and write all files.

        Args:
            resume: continue the journal that is there; a new one is begun when there is none.
            answered: called after every reply.

        Raises:
            OutputError: when there is a journal already, or files cannot be written.
            LLMError: when the writer cannot be asked; the journal keeps what was paid.
        """
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.out}: cannot be made ({error.strerror})") from error
        if isinstance(self.writer, GrammarWriter):
            return self._write(_Replies(self.writer, {}, {}), Budget(None, None), 0)
        if self.journal_path.exists() and not resume:
            raise OutputError(
                f"{self.journal_path}: holds a run already; continue it with --resume or choose "
                "another --out"
            )
        with Journal.open(self.journal_path) as journal:
            budget = Budget(self.price, self.budget)
            in_doubt = self._take_over(journal, budget)
            failures = self._ask(journal, budget, answered)
            texts = {key: reply.text for key, reply in journal.replies.items()}
            return self._write(_Replies(None, texts, failures), budget, in_doubt)

    def _requests(self) -> Iterator[Request]:
        for picture in self.pictures:
            request = make_request(picture, self.writer, self.per_type)
            if request is not None:
                yield request

    def _take_over(self, journal: Journal, budget: Budget) -> int:
        """Count what earlier starts spent and set aside; return how many requests are in doubt."""
        on_their_way = {key for keys in journal.batches.values() for key in keys}
        if journal.intent is not None:
            on_their_way |= set(journal.intent.keys)
        in_doubt = matching = 0
        for request in self._requests():
            if request.key in journal.replies:
                matching += 1
            elif request.key in on_their_way:
                budget.hold(request)
            elif request.key in journal.in_doubt:
                budget.doubt(request)
                in_doubt += 1
        for key, reply in journal.replies.items():
            budget.settle(key, reply.usage)
        if journal.replies and not matching:
            raise ConfigError(
                f"{self.journal_path}: answers other requests (another model, other questions a "
                "picture or other pictures); repeat the command as begun or choose another --out"
            )
        return in_doubt

    def _ask(
        self, journal: Journal, budget: Budget, answered: Callable[[], None]
    ) -> dict[str, str]:
        if isinstance(self.writer, BatchWriter):
            return ask_in_batches(
                self.writer,
                self._requests(),
                journal,
                budget,
                batch_size=self.batch_size,
                poll_seconds=self.poll_seconds,
                answered=answered,
            )
        return ask_each(
            self.writer, self._requests(), journal, budget, workers=self.workers, answered=answered
        )

    def _write(self, replies: _Replies, budget: Budget, in_doubt: int) -> Outcome:
        """Write queries, entities, what was dropped, the report and the card."""
        statistics, dropped = Statistics(), list[dict[str, Any]]()
        records: list[EntityRecord] = []
        write_queries(
            self.out / f"queries-{self.split}.jsonl",
            self._queries(replies, statistics, dropped, records),
        )
        entities = self.out / f"entities-{self.split}.jsonl"
        if not self._reads(entities):
            write_entities(entities, records)
        write_jsonl(self.out / f"dropped-{self.split}.jsonl", dropped)
        report = {"writer": self.writer.name, "per_type": self.per_type, **statistics.to_json()}
        write_json(self.out / f"authoring-{self.split}.json", report)
        write_dataset_json(
            self.out, name=self.name, license=_LICENSE, source=f"queries by {self.writer.name}"
        )
        dollars = None if self.price is None else budget.spent
        not_asked = statistics.dropped[Reason.NOT_ASKED.value]
        return Outcome(statistics, dollars, not_asked, in_doubt)

    def _reads(self, path: Path) -> bool:
        """Whether `path` is one of the annotation files, which must stay as it is."""
        files = getattr(self.pictures, "files", ())
        return any(file.resolve() == path.resolve() for file in files)

    def _queries(
        self,
        replies: _Replies,
        statistics: Statistics,
        dropped: list[dict[str, Any]],
        records: list[EntityRecord],
    ) -> Iterator[QueryRecord]:
        """Yield the queries picture by picture, and fill the other arguments on the way."""
        for picture in self.pictures:
            statistics.add_picture(picture.record)
            records.append(picture.record)
            request = make_request(picture, self.writer, self.per_type)
            if request is None:
                continue
            kept, faults = replies.of(request)
            for fault in faults:
                statistics.add_dropped(fault)
                dropped.append({"image": picture.record.image, **asdict(fault)})
            for number, question in enumerate(kept):
                query = self._query(picture, question, number)
                statistics.add_query(query)
                yield query
            amodal = (set(one.numbers) for one in kept if one.mask_type is MaskType.AMODAL)
            statistics.add_occluded(picture.occluded, frozenset().union(*amodal))

    def _query(self, picture: AnnotatedPicture, question: Question, number: int) -> QueryRecord:
        targets = [picture.by_number[one] for one in question.numbers]
        return QueryRecord(
            id=f"{picture.name}#{number}",
            image=picture.record.image,
            height=picture.record.height,
            width=picture.record.width,
            text=question.text,
            mask_type=question.mask_type,
            targets=tuple(_target(one, question.mask_type) for one in targets),
            tags=(f"dataset:{self.name}", f"writer:{self.writer.name.split()[0]}"),
        )


@dataclass(frozen=True)
class _Replies:
    """Where replies come from: a writer that costs nothing, or what is in the journal."""

    writer: GrammarWriter | None
    texts: Mapping[str, str]
    failures: Mapping[str, str]

    def of(self, request: Request) -> tuple[tuple[Question, ...], tuple[Dropped, ...]]:
        """Questions of a request that can be kept, and what cannot."""
        text = self.texts.get(request.key)
        if self.writer is not None:
            text = self.writer.write(request).text
        if text is not None:
            cleaned = clean_reply(text, request)
            return cleaned.kept, cleaned.dropped
        failure = self.failures.get(request.key)
        if failure is not None:
            return (), (Dropped(Reason.FAILED, failure, ""),)
        return (), (Dropped(Reason.NOT_ASKED, "the budget did not reach it", ""),)


def _target(instance: Instance, mask_type: MaskType) -> Target:
    entity = instance.entity
    whole = entity.amodal if mask_type is MaskType.AMODAL else None
    return Target(whole or entity.modal, entity.id, entity.category, entity.modal)
