"""Waiting for a server that is busy, and asking again when an answer did not come through."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from askmask.errors import LLMError, RefusedError

__all__ = ["Broken", "Busy", "Patience", "failure_of_status", "seconds_of"]

_LONGEST_WAIT = 600.0

_REFUSED = (400, 413, 422)
"""Answers that concern one request: malformed, too large, not processable."""

_BUSY = (408, 409, 425, 429, 503, 529)
"""Answers that say: not done, come again."""

_T = TypeVar("_T")


class Busy(Exception):
    """The server did nothing and asks to come again, after some seconds if it says so."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Broken(Exception):
    """No whole answer came; whether the server did its work is not known."""


@dataclass(frozen=True)
class Patience:
    """How long to try.

    Attributes:
        tries: how often a request is sent at most.
        first_wait: seconds after the first failure when the server names none; then it doubles.
        longest_wait: seconds at most, when the server names none.
    """

    tries: int = 10
    first_wait: float = 1.0
    longest_wait: float = 60.0

    def call(self, ask: Callable[[], _T], *, repeats_broken: bool = True) -> _T:
        """Return what `ask` returns, asking again after Busy and, if wanted, Broken.

        Raises:
            LLMError: when all tries failed, or what else `ask` raises.
            Broken: at once, when it is not to be repeated.
        """
        for trial in range(self.tries):
            try:
                return ask()
            except (Busy, Broken) as error:
                if isinstance(error, Broken) and not repeats_broken:
                    raise
                if trial == self.tries - 1:
                    raise LLMError(
                        f"{error}; gave up after {self.tries} tries: try again later"
                    ) from error
                time.sleep(self._wait(trial, getattr(error, "retry_after", None)))
        raise LLMError("expected at least one try")

    def _wait(self, trial: int, retry_after: float | None) -> float:
        if retry_after is not None:
            return min(max(retry_after, 0.0), _LONGEST_WAIT)
        # Many workers must not come back at the same moment.
        return min(self.first_wait * 2.0**trial, self.longest_wait) * random.uniform(0.75, 1)


def seconds_of(retry_after: str | None) -> float | None:
    """Seconds that a `retry-after` header asks for, given as seconds or as a date; else None."""
    if retry_after is None:
        return None
    try:
        return float(retry_after)
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None


def failure_of_status(
    who: str, status: int, said: str, retry_after: str | None, key_variable: str
) -> Exception:
    """What an HTTP status of 400 or more means for us, as the exception to raise.

    Args:
        who: the server, for the message.
        status: of the answer.
        said: what the answer says, cut to a readable length.
        retry_after: header of the answer, if it has one.
        key_variable: of the environment, where the API key is.
    """
    reason = f"{who} answered {status}: {' '.join(said.split())[:300]}"
    if status in _REFUSED:
        return RefusedError(reason)
    if status in _BUSY:
        return Busy(reason, seconds_of(retry_after))
    if status >= 500:
        return Broken(reason)
    hint = {
        401: f"set {key_variable} to a valid API key",
        403: f"check the rights of the API key in {key_variable}",
        404: "check --model",
    }
    return LLMError(f"{reason}; {hint.get(status, 'check the options')}")
