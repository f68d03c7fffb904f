"""Ask a writer one request after the other, several at a time, each noted before it goes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from askmask.authoring.cost import Budget
from askmask.authoring.journal import Journal
from askmask.authoring.writer import Request, Writer
from askmask.errors import AskmaskError, LLMError, RefusedError
from askmask.llm.chat import Reply

__all__ = ["ask_each"]


class _Asking:
    """The requests that are out, and where their replies go."""

    def __init__(self, journal: Journal, budget: Budget, answered: Callable[[], None]) -> None:
        self.journal = journal
        self.budget = budget
        self.answered = answered
        self.out: dict[Future[Reply], str] = {}
        self.failures: dict[str, str] = {}

    def take_finished(self) -> None:
        """Wait for one reply and note all that came.

        Raises:
            LLMError: when no request can be answered now.
        """
        done, _ = wait(self.out, return_when=FIRST_COMPLETED)
        broken: LLMError | None = None
        for future in done:
            key = self.out.pop(future)
            try:
                reply = future.result()
            except RefusedError as error:
                self._note_failure(key, str(error))
            except LLMError as error:
                broken = error  # stays in doubt: the server may have done its work
            except AskmaskError as error:  # a picture that cannot be read
                self._note_failure(key, str(error))
            else:
                self.journal.replied(key, reply)
                self.budget.settle(key, reply.usage)
                self.answered()
        if broken is not None:
            raise broken

    def _note_failure(self, key: str, reason: str) -> None:
        self.journal.failed(key, reason)
        self.budget.free(key)
        self.failures[key] = reason

    def finish(self) -> None:
        """Wait for all that are out: they are paid, whatever happened elsewhere."""
        broken: LLMError | None = None
        while self.out:
            try:
                self.take_finished()
            except LLMError as error:
                broken = broken or error
        if broken is not None:
            raise broken


def ask_each(
    writer: Writer,
    requests: Iterable[Request],
    journal: Journal,
    budget: Budget,
    *,
    workers: int = 4,
    answered: Callable[[], None] = lambda: None,
) -> dict[str, str]:
    """Ask for all requests that have no reply yet, until they are done or the budget is.

    When the run is interrupted or a server fails for good, the requests on their way are waited
    for, so that what was paid is kept; after a kill, the journal knows which were on their way.

    Args:
        writer: who is asked.
        requests: what is asked; made one by one, so they may be many.
        journal: gets every reply.
        budget: asked before each request.
        workers: requests that are out at the same time.
        answered: called after every reply.

    Returns:
        Key -> reason, of the requests that were refused. What is neither here nor in the journal
        was not asked, for want of budget.

    Raises:
        LLMError: when no request can be answered now.
    """
    asking = _Asking(journal, budget, answered)
    with ThreadPoolExecutor(workers) as pool:
        try:
            for request in requests:
                if request.key in journal.replies:
                    continue
                while len(asking.out) >= workers:
                    asking.take_finished()
                while not (paid := budget.reserve(request)) and asking.out:
                    asking.take_finished()  # what is set aside is more than what it costs
                if not paid:
                    break
                journal.asked(request.key)
                asking.out[pool.submit(writer.write, request)] = request.key
        finally:
            asking.finish()
    return asking.failures
