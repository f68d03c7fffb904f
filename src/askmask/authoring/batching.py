"""Ask a writer in batches: handed in at once, collected when ready, never handed in twice.

Handing in is the one step that costs money. It is noted before and after. When a run dies between
the two notes, or the server's answer is lost, nobody knows whether the batch exists: then the
batches of the server are listed, and one that holds our requests is taken as ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice, takewhile

from askmask.authoring.cost import Budget
from askmask.authoring.journal import Intent, Journal
from askmask.authoring.writer import BatchWriter, Request
from askmask.errors import AskmaskError, LLMError
from askmask.llm.chat import Reply
from askmask.llm.patience import Broken

__all__ = ["ask_in_batches"]

_CLOCKS_DIFFER = timedelta(minutes=10)
"""How far the server's clock may be from ours."""

_SUBMIT_TRIES = 3
_COLLECT_TRIES = 5


class _Batching:
    """A run in batches."""

    def __init__(
        self,
        writer: BatchWriter,
        journal: Journal,
        budget: Budget,
        poll_seconds: float,
        answered: Callable[[], None],
    ) -> None:
        self.writer = writer
        self.journal = journal
        self.budget = budget
        self.poll_seconds = poll_seconds
        self.answered = answered
        self.failures: dict[str, str] = {}

    def recover(self) -> None:
        """Find out whether the batch that was about to be handed in was handed in."""
        intent = self.journal.intent
        if intent is None:
            return
        since = intent.at - _CLOCKS_DIFFER
        for batch in self.writer.candidates(since, len(intent.keys)):
            if batch not in self.journal.known and self._is_ours(batch, intent):
                self.journal.submitted(batch, intent.keys)
                return
        self.journal.abandoned()

    def _is_ours(self, batch: str, intent: Intent) -> bool:
        """Whether a batch holds our requests; only its results tell, so they are waited for."""
        broken = 0
        while True:
            results = self.writer.collect(batch)
            try:
                if results is not None:
                    first = next(iter(results), None)
                    return first is not None and first[0] in intent.keys
            except Broken as error:
                broken += 1
                if broken == _COLLECT_TRIES:
                    raise LLMError(f"{error}; continue later with --resume") from error
            time.sleep(self.poll_seconds)

    def submit(self, requests: Sequence[Request]) -> None:
        """Hand in one batch; when nobody knows whether it arrived, find out."""
        bodies = self._bodies(requests)
        for _ in range(_SUBMIT_TRIES):
            if not bodies or bodies.keys() <= self._on_their_way():
                return
            self.journal.submitting(list(bodies))
            try:
                batch = self.writer.submit(bodies)
            except Broken:
                time.sleep(self.poll_seconds)
                self.recover()
            except LLMError:
                self.journal.abandoned()
                raise
            else:
                self.journal.submitted(batch, list(bodies))
                return
        if not bodies.keys() <= self._on_their_way():
            raise LLMError("the batch did not come through: continue later with --resume")

    def _bodies(self, requests: Sequence[Request]) -> dict[str, object]:
        """Bodies of the requests whose picture can be read."""
        bodies: dict[str, object] = {}
        for request in requests:
            try:
                bodies[request.key] = self.writer.body(request)
            except AskmaskError as error:
                self._note(request.key, str(error))
        return bodies

    def unsettled(self, requests: Iterable[Request]) -> Iterator[Request]:
        """The requests that have neither a reply nor a batch."""
        settled = self.journal.replies.keys() | self._on_their_way()
        return (request for request in requests if request.key not in settled)

    def _on_their_way(self) -> set[str]:
        """Keys of the requests in batches that are not collected."""
        return {key for keys in self.journal.batches.values() for key in keys}

    def collect_ready(self) -> bool:
        """Collect the batches that are ready; return whether there was one."""
        ready = False
        for batch, keys in list(self.journal.batches.items()):
            missing = set(keys) - self.journal.replies.keys()
            for trial in range(_COLLECT_TRIES):
                results = self._collect(batch, missing)
                if results is None or not missing:
                    break
                time.sleep(min(2**trial, self.poll_seconds))
            else:
                raise LLMError(
                    f"batch {batch}: {len(missing)} results did not come through; continue with "
                    "--resume"
                )
            if results is not None:
                self.journal.collected(batch)
                ready = True
        return ready

    def _collect(self, batch: str, missing: set[str]) -> bool | None:
        """Note the results of a batch that are missing; None when it is not ready."""
        results = self.writer.collect(batch)
        if results is None:
            return None
        try:
            for key, result in results:
                if key in missing:
                    missing.remove(key)
                    self._note(key, result)
        except Broken:
            return False
        return True

    def _note(self, key: str, result: Reply | str) -> None:
        if isinstance(result, Reply):
            self.journal.replied(key, result)
            self.budget.settle(key, result.usage)
        else:
            self.journal.failed(key, result)
            self.budget.free(key)
            self.failures[key] = result
        self.answered()


def ask_in_batches(
    writer: BatchWriter,
    requests: Iterable[Request],
    journal: Journal,
    budget: Budget,
    *,
    batch_size: int = 200,
    poll_seconds: float = 30.0,
    answered: Callable[[], None] = lambda: None,
) -> dict[str, str]:
    """Ask for all requests that have no reply yet, until they are done or the budget is.

    Args:
        writer: who is asked.
        requests: what is asked.
        journal: knows the batches that earlier starts handed in, which are collected first.
        budget: asked before each batch.
        batch_size: requests a batch at most.
        poll_seconds: between two looks whether a batch is ready.
        answered: called after every result.

    Returns:
        Key -> reason, of the requests that failed. What is neither here nor in the journal was not
        asked, for want of budget.

    Raises:
        LLMError: when the server cannot be reached or keeps failing.
    """
    batching = _Batching(writer, journal, budget, poll_seconds, answered)
    batching.recover()
    rest = batching.unsettled(requests)
    waiting: list[Request] = []
    while True:
        while waiting := waiting or list(islice(rest, batch_size)):
            affordable = list(takewhile(budget.reserve, waiting))
            if not affordable:
                break
            batching.submit(affordable)
            waiting = waiting[len(affordable) :]
        if not journal.batches:
            return batching.failures
        if not batching.collect_ready():
            time.sleep(poll_seconds)
