"""A judge behind an API: any OpenAI-compatible server, or Anthropic's.

It sees the picture with its candidates numbered and gives each a digit from 0 to 9. Where the
server tells how likely other digits were, the score is the expected one, which is finer and better
calibrated than what is said.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from askmask.errors import ConfigError, LLMError, RefusedError
from askmask.llm.anthropic_api import AnthropicMessages
from askmask.llm.chat import REFUSED, ChatServer, Prompt, Reply, Token, Usage, jpeg
from askmask.llm.openai_server import OpenAIServer
from askmask.llm.patience import Patience
from askmask.models.deciding import decide
from askmask.models.hub.calibration import Calibration
from askmask.models.hub.numbered import Marks, Numbered, numbered_picture
from askmask.models.registry import load_mask_typer
from askmask.models.segmenter import MaskTyper
from askmask.types import Answer, Candidates, MaskType, Query

__all__ = ["ApiJudge", "Verdict", "read_verdict"]

_TRIES = 3
"""How often a question is asked until the answer is a valid one."""

_MAX_TOKENS = 2_000
_BEST = 9
"""Digit of what surely fits."""

_SURE = 0.99
"""Probability of what is said to be sure; a logit must be finite."""

_ALTERNATIVES = 10
_DIGIT = re.compile(r'"fit"\s*:\s*(\d)')
_OPENAI = "https://api.openai.com/v1"

_RULES = """\
You are shown a picture in which candidates are marked, and a sentence that asks for some of what \
the picture shows. Judge which candidates it asks for: one, several, or none, as nothing in the \
picture may fit. Answer with one JSON object and nothing else:
{example}
"rationale": one short sentence that says why these.
{mask_type}"candidates": an entry for each candidate that may be asked for. "fit" is a digit, from \
0, surely not asked for, to 9, surely asked for. Leave out those that surely are not; [] says that \
nothing fits."""

_TYPE_RULE = """\
"mask_type": which mask of them the sentence asks for: "modal", their visible parts, also when it \
says nothing about hidden ones; "amodal", their complete shapes with what other things hide, also \
when it says that they are partly hidden; "hidden", only what is hidden of them.
"""


@dataclass(frozen=True)
class Verdict:
    """What a judge said.

    Attributes:
        fits: number of a candidate, from 1 -> how well it fits, in [0, 1]; others do not.
        mask_type: the type that is asked for, or None when the judge was not asked.
        rationale: why these.
    """

    fits: Mapping[int, float]
    mask_type: MaskType | None
    rationale: str


class ApiJudge:
    """`Selector` that asks a model of a server.

    Attributes:
        usage: tokens of all answers so far.
    """

    def __init__(
        self,
        server: ChatServer,
        *,
        typer: MaskTyper | None = None,
        mask_type: str = "embedded",
        marks: Marks = "box",
        crops: bool = False,
        most: int = 40,
    ) -> None:
        """Nothing is sent yet.

        Args:
            server: who is asked.
            typer: says which mask type a sentence asks for; None takes the embedded one.
            mask_type: "embedded", as the typer says, or "asked", as the judge does.
            marks: a box around each candidate, or its outline.
            crops: also show each candidate alone, enlarged.
            most: candidates that are shown, the surest.

        Raises:
            ConfigError: for another value of `mask_type` or `marks`.
        """
        for option, value, known in (
            ("mask_type", mask_type, ("embedded", "asked")),
            ("marks", marks, ("box", "outline")),
        ):
            if value not in known:
                raise ConfigError(f"{option}: expected {' or '.join(known)}, got {value!r}")
        self._server = server
        self._typer = None if mask_type == "asked" else typer or load_mask_typer()
        self._marks, self._crops, self._most = marks, crops, most
        self.usage = Usage()

    @classmethod
    def load(
        cls,
        kind: str,
        model: str,
        url: str | None = None,
        *,
        tries: int = 6,
        timeout: float = 120.0,
        **options: Any,
    ) -> Self:
        """Make the judge of a server; nothing is sent yet.

        Args:
            kind: "openai", any compatible server, or "anthropic".
            model: as the server calls it.
            url: of the server, up to and with the version; None is OpenAI or Anthropic itself.
            tries: how often a question is sent when the server is busy or does not answer.
            timeout: seconds for one answer.
            options: of the class.
        """
        patience = Patience(tries)
        server: ChatServer
        if kind == "openai":
            server = OpenAIServer(model, url or _OPENAI, patience=patience, timeout=timeout)
        else:
            server = AnthropicMessages(model, base_url=url, patience=patience, timeout=timeout)
        return cls(server, **options)

    def select(self, image: NDArray[np.uint8], candidates: Candidates, query: Query) -> Answer:
        """Ask which candidates fit; without candidates, nobody is asked.

        Args:
            image: (H, W, 3) uint8 RGB.
            candidates: found in it; only the surest are shown.
            query: the sentence and its references, which are shown too.

        Raises:
            RefusedError: when the server or the model declines this question.
            LLMError: when the server cannot be reached, or gives no valid answer.
        """
        shown = np.argsort(-candidates.score, kind="stable")[: self._most]
        verdict = Verdict({}, MaskType.MODAL, "")
        if len(shown):
            marked = numbered_picture(
                image,
                candidates.modal[shown],
                query.references,
                marks=self._marks,
                crops=self._crops,
            )
            verdict = self._ask(marked, query.text)
        score = np.full(len(candidates), 1 - _SURE)
        for number, fit in verdict.fits.items():
            score[shown[number - 1]] = np.clip(fit, 1 - _SURE, _SURE)
        select = np.log(score / (1 - score))
        none = -float(select.max()) if len(select) else 0.0
        types = self._types(verdict, query.text)
        return decide(candidates, query, select, none, types, Calibration(), verdict.rationale)

    def _types(self, verdict: Verdict, text: str) -> Mapping[MaskType, float]:
        if self._typer is not None:
            return self._typer.mask_types([text])[0]
        return {kind: float(kind is verdict.mask_type) for kind in MaskType}

    def _ask(self, marked: Numbered, text: str) -> Verdict:
        """Ask until the answer is a valid one; errors as of `select`."""
        asks_type, count = self._typer is None, len(marked.labels)
        problem = ""
        for trial in range(_TRIES):
            reply = self._server.ask(_prompt(marked, text, trial, asks_type=asks_type))
            self.usage += reply.usage
            if reply.stop == REFUSED:
                said = " ".join(reply.text.split())[:200] or "it does not say why"
                raise RefusedError(f"{self._server.name} declined to answer: {said}")
            try:
                return read_verdict(reply, count, asks_type=asks_type)
            except ValueError as error:
                problem = f"{error}, got {' '.join(reply.text.split())[:120]!r}"
        raise LLMError(f"{self._server.name}: {problem}, {_TRIES} times: use a stronger model")


def _prompt(marked: Numbered, text: str, trial: int, *, asks_type: bool) -> Prompt:
    """The question; another one each trial, as a server may repeat its answer to the same."""
    kinds = '"mask_type": "modal", ' if asks_type else ""
    example = f'{{"rationale": "…", {kinds}"candidates": [{{"number": 3, "fit": 9}}]}}'
    rules = _RULES.format(example=example, mask_type=_TYPE_RULE if asks_type else "")
    message = f"{marked.words}\nThe sentence: {json.dumps(text, ensure_ascii=False)}"
    pictures = tuple(map(jpeg, marked.pictures))
    content = [rules, message, str(trial), *(hashlib.sha256(p).hexdigest() for p in pictures)]
    return Prompt(
        rules,
        pictures,
        message,
        _MAX_TOKENS,
        key=hashlib.sha256(json.dumps(content).encode()).hexdigest()[:40],
        schema=_schema(len(marked.labels), asks_type=asks_type),
        alternatives=_ALTERNATIVES,
    )


def _schema(count: int, *, asks_type: bool) -> dict[str, Any]:
    """JSON schema of answers about `count` candidates, of what all servers understand."""
    entry = _closed(
        number={"type": "integer", "enum": list(range(1, 1 + count))},
        fit={"type": "integer", "enum": list(range(1 + _BEST))},
    )
    kinds = {"type": "string", "enum": [kind.value for kind in MaskType]}
    return _closed(
        rationale={"type": "string"},
        **({"mask_type": kinds} if asks_type else {}),
        candidates={"type": "array", "items": entry},
    )


def _closed(**properties: Any) -> dict[str, Any]:
    """Schema of an object that has just these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_verdict(reply: Reply, count: int, *, asks_type: bool) -> Verdict:
    """Read an answer about `count` candidates, which may stand in other words or a code block.

    Raises:
        ValueError: when it is not as the rules say.
    """
    start, end = reply.text.find("{"), reply.text.rfind("}")
    try:
        said = json.loads(reply.text[start : end + 1])
    except ValueError as error:
        raise ValueError("expected one JSON object") from error
    match said:
        case {"rationale": str(rationale), "candidates": list(entries)}:
            pass
        case _:
            raise ValueError("expected the keys 'rationale' and 'candidates'")
    numbers, digits = [], []
    for entry in entries:
        match entry:
            case {"number": int(number), "fit": int(fit)} if (
                1 <= number <= count and 0 <= fit <= _BEST and number not in numbers
            ):
                numbers.append(number)
                digits.append(fit)
            case _:
                raise ValueError(
                    f"expected different numbers from 1 to {count}, each with a digit as 'fit'"
                )
    kind = said.get("mask_type")
    if asks_type and kind not in [one.value for one in MaskType]:
        raise ValueError("expected modal, amodal or hidden as 'mask_type'")
    fits = _expected(reply, digits)
    return Verdict(
        dict(zip(numbers, fits, strict=True)), MaskType(kind) if asks_type else None, rationale
    )


def _expected(reply: Reply, digits: Sequence[int]) -> list[float]:
    """Expected digit of each entry over the best one; the digit itself where no more is known."""
    places = [match.start(1) for match in _DIGIT.finditer(reply.text)]
    if len(places) != len(digits) or "".join(one.text for one in reply.tokens) != reply.text:
        return [digit / _BEST for digit in digits]
    ends = np.cumsum([len(one.text) for one in reply.tokens])
    tokens = [reply.tokens[int(np.searchsorted(ends, place, side="right"))] for place in places]
    return [
        _expected_digit(token, digit) / _BEST for token, digit in zip(tokens, digits, strict=True)
    ]


def _expected_digit(token: Token, said: int) -> float:
    """Mean of the digits that could have stood here, weighted by their probability."""
    shares = {
        int(piece): share
        for piece, share in token.alternatives.items()
        if len(piece) == 1 and piece in "0123456789"
    }
    total = sum(shares.values())
    if token.text != str(said) or total <= 0:  # digits that stand in one token with other signs
        return float(said)
    return sum(digit * share for digit, share in shares.items()) / total
