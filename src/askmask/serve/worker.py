"""The one thread in which the model works, and the bounded queue in front of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from askmask.serve.refusals import Refusal

__all__ = ["Worker"]

_T = TypeVar("_T")


class Worker:
    """Runs jobs one after the other in order of arrival.

    A job whose time is over before it starts is not run; one that runs is never broken off, only
    its result is dropped. All methods but the jobs themselves run in the event loop's thread.

    Attributes:
        jobs: jobs that wait or run.
    """

    def __init__(self, max_queue: int) -> None:
        self._pool = ThreadPoolExecutor(1, "askmask-model")
        self._max_queue = max_queue
        self._mean_seconds = 0.2  # of a job, moving
        self.jobs = 0

    async def run(self, job: Callable[[], _T], deadline: float) -> _T:
        """Run `job` in the model's thread and return what it returns.

        Args:
            job: what to do.
            deadline: of `time.monotonic()`.

        Raises:
            Refusal: when the queue is full, or the deadline comes first.
        """
        if self.jobs > self._max_queue:
            raise Refusal(
                429,
                "queue_full",
                f"{self.jobs} requests wait for the model, which is all that may: ask again later",
                retry_after=self.jobs * self._mean_seconds,
            )
        self.jobs += 1
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(self._pool, self._timed, job, deadline)
        done.add_done_callback(self._note)
        try:
            async with asyncio.timeout_at(deadline):  # the loop's clock is time.monotonic
                result, _ = await asyncio.shield(done)
                return result
        except TimeoutError:
            raise Refusal(
                503,
                "too_slow",
                "the request was not answered in time, as others came first: ask again later",
                retry_after=self.jobs * self._mean_seconds,
            ) from None

    async def close(self) -> None:
        """Finish all jobs and end the thread."""
        await asyncio.to_thread(self._pool.shutdown)

    @staticmethod
    def _timed(job: Callable[[], _T], deadline: float) -> tuple[_T, float]:
        start = time.monotonic()
        if start > deadline:
            raise TimeoutError
        return job(), time.monotonic() - start

    def _note(self, done: asyncio.Future[tuple[_T, float]]) -> None:
        self.jobs -= 1
        # Asking for the exception also keeps asyncio from reporting one that nobody waits for.
        if not done.cancelled() and done.exception() is None:
            self._mean_seconds += 0.1 * (done.result()[1] - self._mean_seconds)
