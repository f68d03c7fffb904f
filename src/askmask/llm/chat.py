"""What is said to a language model and what comes back, whoever serves it."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = [
    "LONGEST_SIDE",
    "REFUSED",
    "ChatServer",
    "Price",
    "Prompt",
    "Reply",
    "Token",
    "Usage",
    "jpeg",
]

LONGEST_SIDE = 1_568
"""Pixels to which pictures are scaled down: servers that charge by size do the same."""

REFUSED = "refusal"
"""`stop` of a reply in which the model declines to answer."""

_QUALITY = 85


@dataclass(frozen=True, eq=False)
class Prompt:
    """One question with pictures.

    Attributes:
        rules: what holds for all questions of the kind; servers may keep it in a cache.
        pictures: JPEG files, from `jpeg`.
        message: the question.
        max_tokens: longest reply that is paid for.
        key: names the question by its content, so that a server charges a repetition once; None for
            one that is new every time.
        schema: JSON schema that the reply keeps to, where the server can make it; None for prose.
        alternatives: other tokens of which the reply tells the probability, where the server does.
    """

    rules: str
    pictures: tuple[bytes, ...]
    message: str
    max_tokens: int
    key: str | None = None
    schema: Mapping[str, Any] | None = None
    alternatives: int = 0

    @property
    def encoded_pictures(self) -> list[str]:
        """The pictures as base64."""
        return [base64.b64encode(picture).decode() for picture in self.pictures]


@dataclass(frozen=True)
class Usage:
    """Tokens that a reply cost, as the server counted them."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_tokens: int = 0
    cache_read_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
        )


@dataclass(frozen=True)
class Token:
    """A piece of a reply.

    Attributes:
        text: the piece.
        alternatives: piece -> probability that it would have stood here; not all are known.
    """

    text: str
    alternatives: Mapping[str, float]


@dataclass(frozen=True)
class Reply:
    """What a model answered.

    Attributes:
        text: as it came.
        usage: what it cost.
        stop: why it ended: `REFUSED`, or in the server's words: "end_turn", "length", ….
        tokens: pieces that make up `text`, when asked for and known.
    """

    text: str
    usage: Usage = Usage()
    stop: str = ""
    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True)
class Price:
    """Dollars a million tokens.

    Attributes:
        input, output: of plain requests.
        cache_write, cache_read: factors of `input` for tokens that go into, or come from, a cache.
        discount: factor of everything, 0.5 for batches.
    """

    input: float
    output: float
    cache_write: float = 2.0
    cache_read: float = 0.1
    discount: float = 1.0

    def of(self, usage: Usage) -> float:
        """Dollars of a reply."""
        units = usage.input_tokens + self.cache_write * usage.cache_write_tokens
        units += self.cache_read * usage.cache_read_tokens
        dollars = units * self.input + usage.output_tokens * self.output
        return self.discount * dollars / 1e6


class ChatServer(Protocol):
    """Answers one question at a time, from several threads at once.

    Attributes:
        name: what tells its answers from others', e.g. "openai/MODEL".
    """

    name: str

    def ask(self, prompt: Prompt) -> Reply:
        """Answer a question.

        Raises:
            RefusedError: when the server never will accept this one.
            LLMError: when no question can be answered now.
        """


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """Encode (H, W, 3) uint8 RGB, scaled down to `LONGEST_SIDE`."""
    image = Image.fromarray(pixels)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
