"""A multimodal language model as selector: it sees the numbered candidates and scores them.

Rea2Seg's second stage with models that exist. Labels are scored by the logits of the next word, so
that one pass judges all candidates, and every way of asking ends in a logit for each candidate and
one for "nothing fits".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from askmask.errors import ConfigError
from askmask.models.deciding import calibrated, decide
from askmask.models.hub.asked_type import ChatMaskTyper
from askmask.models.hub.calibration import Calibration
from askmask.models.hub.chat import Chat, Pictures
from askmask.models.hub.loading import Where
from askmask.models.hub.numbered import Marks, Numbered, numbered_picture
from askmask.models.hub.reader import Reader
from askmask.models.hub.saved import save_options, saved_options
from askmask.models.registry import load_mask_typer
from askmask.models.segmenter import MaskTyper
from askmask.rle import RLE
from askmask.types import Answer, Candidates, Masks, Query

__all__ = ["WAYS", "Judge", "JudgeOptions", "Scores"]

WAYS = ("listwise", "pointwise", "pairwise", "reasoning")

_FILE = "judge.json"
_LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXY"
_NONE = "Z"
_SENTENCE = '{words} The sentence: "{text}". '
_LISTWISE = (
    "Which candidate is meant by the sentence? Answer with its label alone, or with {none} when "
    "none of them is meant."
)
_POINTWISE = "Answer with yes or no alone: is candidate {label} meant by the sentence?"
_NOTHING = "Answer with yes or no alone: is none of the candidates meant by the sentence?"
_PAIRWISE = (
    "Answer with the label alone: which one is rather meant by the sentence, candidate {first} or "
    "candidate {second}?"
)
_THINK = (
    "Which candidate is meant by the sentence? Think first, in at most three short sentences: what "
    "the sentence means, which candidates come near, and how they differ."
)
_SO = "\nThe label of the candidate that is meant, or {none} when none is:"


@dataclass(frozen=True)
class JudgeOptions:
    """How a judge asks.

    Attributes:
        way: "listwise", all in one pass; "pointwise", yes or no for each; "pairwise", listwise and
            then each of the best against each; "reasoning", listwise after a few sentences.
        marks: how candidates are marked in the picture.
        crops: whether each candidate is also shown alone and enlarged.
        top: candidates that are compared in pairs.
        thinking: most tokens of reasoning.
        mask_type: who reads the mask type from the sentence: "embedded", the embedded text head, or
            "asked", the language model.
        calibration: what is fitted on validation data, see `training.calibrate_judge`.
    """

    way: str = "listwise"
    marks: Marks = "box"
    crops: bool = False
    top: int = 4
    thinking: int = 128
    mask_type: str = "embedded"
    calibration: Calibration = field(default_factory=Calibration)

    def __post_init__(self) -> None:
        for name, value, known in (
            ("way", self.way, WAYS),
            ("marks", self.marks, ("box", "outline")),
            ("mask_type", self.mask_type, ("embedded", "asked")),
        ):
            if value not in known:
                raise ConfigError(f"judge: {name}: expected {' or '.join(known)}, got {value!r}")


class Scores(NamedTuple):
    """What a judge says before it is calibrated.

    Attributes:
        select: (N,) float64 logit of each candidate.
        none: logit of "nothing fits".
        thought: what it said before, or None.
    """

    select: NDArray[np.float64]
    none: float
    thought: str | None = None


class _View(NamedTuple):
    """Some of the candidates as the model sees them."""

    shown: Numbered
    pictures: Pictures
    reader: Reader


class _Sight(NamedTuple):
    """All views of a picture, and what they are of."""

    image: NDArray[np.uint8]
    candidates: Candidates
    references: tuple[RLE, ...]
    views: list[_View]


class Judge:
    """`Selector` that asks a multimodal language model.

    The picture with its candidates is encoded and read once; each further sentence costs its own
    words. Several threads may ask, one after the other.

    Attributes:
        options: how it asks.
    """

    def __init__(self, chat: Chat, options: JudgeOptions, typer: MaskTyper) -> None:
        """Ask `chat`; prefer `load`."""
        self.options = options
        self._chat, self._typer = chat, typer
        self._sight: _Sight | None = None
        self._lock = Lock()

    @classmethod
    def load(cls, source: str, where: Where, **options: Any) -> Judge:
        """Load from a model's folder or hub repository, or from a folder that `save` wrote.

        Args:
            source: where the model, or what was saved, is.
            where: device and precision.
            options: those of `JudgeOptions`; they go before saved ones.

        Raises:
            ConfigError: for an unknown value of an option, or another kind of model.
            WeightsError: when files are missing, gated, broken or too large for the memory.
        """
        source, saved = saved_options(source, _FILE, _options)
        chosen = replace(saved, **options)
        chat = Chat.load(source, where)
        asked = chosen.mask_type == "asked"
        return cls(chat, chosen, ChatMaskTyper(chat) if asked else load_mask_typer())

    def save(self, folder: str | Path) -> None:
        """Write options and calibration to `judge.json` in `folder`; the model stays where it is.

        Raises:
            OutputError: when it cannot be written.
        """
        save_options(folder, _FILE, self._chat.source, self.options)

    def select(self, image: NDArray[np.uint8], candidates: Candidates, query: Query) -> Answer:
        """Choose the group and its mask type; see `decide`."""
        scores = self.scores(image, candidates, query)
        types = self._typer.mask_types([query.text])[0]
        calibration = self.options.calibration
        select = calibrated(calibration, scores.select)
        return decide(candidates, query, select, scores.none, types, calibration, scores.thought)

    def scores(self, image: NDArray[np.uint8], candidates: Candidates, query: Query) -> Scores:
        """What the model says about each candidate, before calibration.

        Args:
            image: (H, W, 3) uint8 RGB.
            candidates: N of them; their visible masks are shown. Without any, the model is not
                asked.
            query: the sentence, and the references that are shown.
        """
        if not len(candidates):
            return Scores(np.zeros(0), 0.0)
        with self._lock:
            views = self._views(image, candidates, query.references)
            if self.options.way == "pointwise":
                each = [self._pointwise(view, query.text) for view in views]
                # Nothing fits only where nothing of any view does.
                return Scores(np.concatenate([s.select for s in each]), min(s.none for s in each))
            told = [self._listwise(view, query.text) for view in views]
            select = np.concatenate([logits for logits, _ in told])
            if self.options.way == "pairwise" and len(select) > 1:
                select = self._pairwise(image, candidates, query, select)
            thought = " ".join(said for _, said in told if said) or None
            return Scores(select, -float(np.logaddexp.reduce(select)), thought)

    def _views(
        self, image: NDArray[np.uint8], candidates: Candidates, references: Masks | None
    ) -> list[_View]:
        """Views of all candidates, those of the last picture without looking again."""
        last, codes = self._sight, references.rles if references is not None else ()
        if (
            last is None
            or last.image is not image
            or last.candidates is not candidates
            or last.references != codes
        ):
            self._sight = None  # frees the memory of the old one first
            several = range(0, len(candidates), len(_LABELS))
            parts = [candidates.modal[i : i + len(_LABELS)] for i in several]
            views = [self._view(image, part, references) for part in parts]
            self._sight = last = _Sight(image, candidates, codes, views)
        return last.views

    def _view(self, image: NDArray[np.uint8], masks: Masks, references: Masks | None) -> _View:
        labels, options = _LABELS[: len(masks)], self.options
        shown = numbered_picture(
            image, masks, references, labels=labels, marks=options.marks, crops=options.crops
        )
        pictures = self._chat.see(shown.pictures)
        return _View(shown, pictures, Reader(self._chat, pictures))

    def _prompt(self, view: _View, text: str, question: str) -> list[int]:
        before = _SENTENCE.format(words=view.shown.words, text=text)
        return self._chat.prompt(before + question, view.pictures)

    def _listwise(self, view: _View, text: str) -> tuple[NDArray[np.float64], str | None]:
        """All labels as the next word, each against the label that none fits; and what it said."""
        thought = None
        if self.options.way == "reasoning":
            prompt = self._prompt(view, text, _THINK)
            ids = view.reader.speak(prompt, self.options.thinking)
            thought = self._chat.text(ids)
            prompt = prompt + ids + self._chat.said(_SO.format(none=_NONE))
        else:
            prompt = self._prompt(view, text, _LISTWISE.format(none=_NONE))
        labels = [*view.shown.labels, _NONE]
        logits = self._chat.label_logits(view.reader.read([prompt]), labels)[0]
        return logits[:-1] - logits[-1], thought

    def _pointwise(self, view: _View, text: str) -> Scores:
        """Yes against no, for each candidate and for none."""
        asked = [_POINTWISE.format(label=label) for label in view.shown.labels]
        prompts = [self._prompt(view, text, question) for question in [*asked, _NOTHING]]
        logits = self._chat.label_logits(view.reader.read(prompts), ["yes", "no"])
        odds = logits[:, 0] - logits[:, 1]
        return Scores(odds[:-1], float(odds[-1]))

    def _pairwise(
        self,
        image: NDArray[np.uint8],
        candidates: Candidates,
        query: Query,
        select: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """The same logits, those of the best in the order in which they win against each other."""
        best = np.argsort(-select, kind="stable")[: self.options.top]
        view = self._view(image, candidates.modal[best], query.references)
        labels = view.shown.labels
        pairs = list(permutations(range(len(best)), 2))  # both orders: the first is favoured
        prompts = [
            self._prompt(view, query.text, _PAIRWISE.format(first=labels[i], second=labels[j]))
            for i, j in pairs
        ]
        logits = self._chat.label_logits(view.reader.read(prompts), labels)
        strength = np.zeros(len(best))
        for (i, j), row in zip(pairs, logits, strict=True):
            strength[i] += row[i] - row[j]
            strength[j] += row[j] - row[i]
        ranked = select.copy()
        ranked[best[np.argsort(-strength, kind="stable")]] = select[best]
        return ranked


def _options(**values: Any) -> JudgeOptions:
    """Options of what was saved."""
    if "calibration" in values:
        values["calibration"] = Calibration(**values["calibration"])
    return JudgeOptions(**values)
