"""Pictures answered in several processes, each with a model of its own on one thread.

The processes answer, this one alone writes. Pictures are dealt one by one to whoever is free, so
that a slow one holds nobody up, and only a few are under way at a time.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from threading import Thread

from askmask.cores import one_thread_each
from askmask.errors import AskmaskError
from askmask.formats.askmask import Prediction
from askmask.models.segmenter import Segmenter
from askmask.runs.engine import AskedPicture, Manner, answer_picture

__all__ = ["answer_in_processes"]

_DEALT = 2
"""Pictures a process that are under way: one in work and one to go on with."""


def answer_in_processes(
    load: Callable[[], Segmenter], pictures: Iterable[AskedPicture], manner: Manner, workers: int
) -> Generator[Prediction, None, None]:
    """Answer all queries about all pictures, in the order in which pictures get ready.

    The processes end with this one, also when it is killed.

    Args:
        load: makes a process its model; importable there, so no lambda.
        pictures: taken as they are needed.
        manner: how queries are answered.
        workers: how many processes.

    Raises:
        AskmaskError: when a process is killed, e.g. for memory, or cannot load the model.
    """
    context = multiprocessing.get_context("spawn")
    coming = iter(pictures)
    with one_thread_each(), ProcessPoolExecutor(workers, context, _start, (load, manner)) as pool:
        try:
            running = {pool.submit(_answer, one) for one in islice(coming, workers * _DEALT)}
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                running |= {pool.submit(_answer, one) for one in islice(coming, len(done))}
                yield from _results(done)
        except BrokenProcessPool as error:
            raise AskmaskError(
                f"one of {workers} worker processes ended; with too little memory use fewer "
                "--workers, then continue with --resume"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _results(done: Iterable[Future[list[Prediction]]]) -> Iterator[Prediction]:
    for future in done:
        yield from future.result()


_segmenter: Segmenter
_manner: Manner


def _start(load: Callable[[], Segmenter], manner: Manner) -> None:
    """Prepare a new process."""
    global _segmenter, _manner
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the writer ends the others
    Thread(target=_end_with_parent, daemon=True).start()
    _segmenter, _manner = load(), manner


def _end_with_parent() -> None:
    """Leave when the writer is gone: it may have been killed and told nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer(picture: AskedPicture) -> list[Prediction]:
    return list(answer_picture(_segmenter, picture, None, _manner))
