"""What asking costs: an estimate before, a limit during. Prices are the user's, as they change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from askmask.authoring.prompt import instructions
from askmask.authoring.writer import MAX_REPLY_TOKENS, Request
from askmask.llm.chat import LONGEST_SIDE, Price, Usage

__all__ = ["Budget", "Estimate", "estimate", "most"]

_PIXELS_PER_TOKEN = 750
_LETTERS_PER_TOKEN = 3.5
_TOKENS_PER_QUESTION = 60
_MARGIN = 1.5
"""Factor from the expected to the largest input of a request; servers count in their own ways."""


@dataclass(frozen=True)
class Estimate:
    """What a run would cost.

    Attributes:
        requests: how many.
        input_tokens, output_tokens: expected, without the savings of a cache.
        dollars: expected, or None without a price.
    """

    requests: int
    input_tokens: int
    output_tokens: int
    dollars: float | None


def input_tokens(request: Request) -> int:
    """Expected tokens of the rules, the message and the picture together."""
    height, width = request.picture.record.height, request.picture.record.width
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    pixels = height * width * scale**2
    letters = len(instructions()) + len(request.message)
    return round(letters / _LETTERS_PER_TOKEN + pixels / _PIXELS_PER_TOKEN)


def estimate(requests: Iterable[Request], price: Price | None) -> Estimate:
    """Add up what requests are expected to cost; no requests cost nothing."""
    count = given = taken = 0
    for request in requests:
        count += 1
        given += input_tokens(request)
        taken += _TOKENS_PER_QUESTION * (request.modal + request.amodal)
    dollars = None if price is None else price.of(Usage(given, taken))
    return Estimate(count, given, taken, dollars)


def most(price: Price, request: Request) -> float:
    """Dollars that a request costs at most."""
    prompt = round(_MARGIN * input_tokens(request))
    # The rules may be written into a cache, which costs more than sending them.
    return price.of(Usage(0, MAX_REPLY_TOKENS, cache_write_tokens=prompt))


class Budget:
    """Keeps spending below a limit, counting requests on their way at the most they may cost.

    Attributes:
        spent: dollars of the replies that came, and of requests of which nobody knows.
    """

    def __init__(self, price: Price | None, limit: float | None) -> None:
        """Without a price, nothing is counted; without a limit, everything is allowed."""
        self._price = price
        self._limit = limit
        self._reserved: dict[str, float] = {}
        self.spent = 0.0

    def reserve(self, request: Request) -> bool:
        """Set money aside for a request, or return False when it is not there."""
        if self._price is None:
            return True
        dollars = most(self._price, request)
        total = self.spent + sum(self._reserved.values()) + dollars
        if self._limit is not None and total > self._limit:
            return False
        self._reserved[request.key] = dollars
        return True

    def hold(self, request: Request) -> None:
        """Set money aside for a request that is on its way already."""
        if self._price is not None:
            self._reserved[request.key] = most(self._price, request)

    def settle(self, key: str, usage: Usage) -> None:
        """Replace what was set aside for a request by what it cost."""
        self._reserved.pop(key, None)
        if self._price is not None:
            self.spent += self._price.of(usage)

    def free(self, key: str) -> None:
        """Give back what was set aside for a request that cost nothing."""
        self._reserved.pop(key, None)

    def doubt(self, request: Request) -> None:
        """Count a request as spent that was sent before a kill: it may have been charged."""
        if self._price is not None:
            self.spent += most(self._price, request)
