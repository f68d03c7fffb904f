"""The panel below an overlay: the sentence, the mask type, the scores or "nothing fits"."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from askmask.overlay.palette import FAINT, PANEL, RULE, WARNING, WHITE, Colour, colour_of, ink_on
from askmask.overlay.strokes import blend, hatch
from askmask.types import Answer, MaskType

__all__ = ["NARROWEST", "draw_legend"]

NARROWEST = 320
"""A panel is at least this wide, in pixels, whatever the picture."""

_MAX_SENTENCE_LINES = 5
_TWICE = 2  # the panel is drawn at twice its size and scaled down, for smooth shapes


@dataclass
class _Pen:
    """A panel that grows downwards: where to draw next, and the sizes that all else follows."""

    width: int
    size: float
    sheet: Image.Image = field(init=False)
    x: float = 0.0
    y: float = 0.0

    def __post_init__(self) -> None:
        self.sheet = Image.new("RGB", (self.width, math.ceil(60 * self.size)), PANEL)
        self.x, self.y = self.margin, 0.9 * self.size

    @property
    def margin(self) -> float:
        return 1.1 * self.size

    @property
    def room(self) -> float:
        return self.width - 2 * self.margin

    @property
    def draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.sheet)

    def font(self, scale: float = 1.0) -> ImageFont.FreeTypeFont:
        loaded = ImageFont.load_default(scale * self.size)
        assert isinstance(loaded, ImageFont.FreeTypeFont)
        return loaded

    def break_line(self, height: float = 1.75) -> None:
        self.x, self.y = self.margin, self.y + height * self.size
        missing = self.y + 4 * self.size - self.sheet.height
        if missing > 0:
            grown = Image.new("RGB", (self.width, self.sheet.height * 2), PANEL)
            grown.paste(self.sheet)
            self.sheet = grown

    def need(self, width: float) -> None:
        """Start a new line when `width` pixels do not fit in this one."""
        if self.x > self.margin and self.x + width > self.width - self.margin:
            self.break_line()

    def text(self, words: str, colour: Colour = WHITE, scale: float = 1.0) -> None:
        """Write `words` at the pen, centred on the line, and move on."""
        font = self.font(scale)
        self.draw.text((self.x, self.y + 0.6 * self.size), words, colour, font, anchor="lm")
        self.x += font.getlength(words)


def draw_legend(
    answer: Answer, references: int, text: str, picture_wh: tuple[int, int]
) -> Image.Image:
    """Draw the panel for `answer` to the sentence `text`.

    Args:
        answer: what to report.
        references: number of reference masks.
        text: the sentence; wrapped, and cut with an ellipsis after five lines.
        picture_wh: width and height of the picture above, in pixels.

    Returns:
        RGB picture, as wide as the picture above or `NARROWEST`, as high as it needs.
    """
    width = max(NARROWEST, picture_wh[0])
    size = max(11.0, min(15.0 * math.sqrt(math.prod(picture_wh) / (480 * 640)), width / 26))
    pen = _Pen(width * _TWICE, size * _TWICE)
    for line in _wrapped(" ".join(text.split()), pen.font(1.12), pen.room):
        pen.text(line, scale=1.12)
        pen.break_line(1.55)
    pen.y += 0.25 * pen.size
    pen.draw.line((pen.margin, pen.y, pen.width - pen.margin, pen.y), RULE, _TWICE)
    pen.y += 0.65 * pen.size
    _write_mask_type(pen, answer)
    if len(answer):
        _write_scores(pen, answer)
    else:
        _write_nothing_fits(pen, answer)
    _write_key(pen, answer, references)
    _write_unsure(pen, answer)
    pen.break_line(1.9)
    panel = pen.sheet.crop((0, 0, pen.width, math.ceil(pen.y / _TWICE) * _TWICE))
    return panel.resize((width, panel.height // _TWICE), Image.Resampling.BOX)


def _wrapped(text: str, font: ImageFont.FreeTypeFont, room: float) -> list[str]:
    """Break `text` into lines of at most `room` pixels, within words where one is too long."""
    lines: list[str] = []
    rest = text
    while rest:
        if len(lines) == _MAX_SENTENCE_LINES:
            lines[-1] = lines[-1][: _fitting(lines[-1], font, room - font.getlength("…"))] + "…"
            break
        end = _fitting(rest, font, room)
        if end < len(rest) and " " in rest[1 : end + 1]:
            end = rest.rindex(" ", 1, end + 1)
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return lines


def _fitting(text: str, font: ImageFont.FreeTypeFont, room: float) -> int:
    """Number of leading characters of `text` that fit into `room` pixels, at least 1."""
    low, high = 1, min(len(text), 400)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(text[:middle]) <= room else (low, middle - 1)
    return low


def _write_mask_type(pen: _Pen, answer: Answer) -> None:
    """Write the chosen type with its probability, and the other types fainter."""
    chosen = answer.mask_type
    chip = f"{chosen} {_percent(answer.mask_type_probability.get(chosen, 0.0))}"
    pad, font = 0.55 * pen.size, pen.font()
    end = pen.x + font.getlength(chip) + 2 * pad
    box = (pen.x, pen.y - 0.25 * pen.size, end, pen.y + 1.45 * pen.size)
    pen.draw.rounded_rectangle(box, 0.85 * pen.size, fill=WHITE)
    pen.x += pad
    pen.text(chip, PANEL)
    pen.x = end + 0.7 * pen.size
    for other in MaskType:
        if other is not chosen:
            words = f"{other} {_percent(answer.mask_type_probability.get(other, 0.0))}"
            pen.need(pen.font(0.9).getlength(words))
            pen.text(words, FAINT, 0.9)
            pen.x += 0.8 * pen.size
    pen.break_line(2.1)


def _write_scores(pen: _Pen, answer: Answer) -> None:
    """Write number and score of each mask, as many to a line as fit."""
    for i, score in enumerate(answer.scores):
        words, number = f"{score:.2f}", str(i + 1)
        disc = max(1.35 * pen.size, pen.font(0.85).getlength(number) + 0.7 * pen.size)
        pen.need(disc + 0.4 * pen.size + pen.font().getlength(words))
        box = (pen.x, pen.y - 0.08 * pen.size, pen.x + disc, pen.y + 1.27 * pen.size)
        pen.draw.rounded_rectangle(box, 0.67 * pen.size, fill=colour_of(i))
        middle = (pen.x + disc / 2, pen.y + 0.6 * pen.size)
        pen.draw.text(middle, number, ink_on(colour_of(i)), pen.font(0.85), anchor="mm")
        pen.x += disc + 0.4 * pen.size
        pen.text(words)
        pen.x += 1.1 * pen.size


def _write_nothing_fits(pen: _Pen, answer: Answer) -> None:
    sure = answer.no_target_probability
    pen.text("nothing fits" + ("" if sure is None else f" {_percent(sure)}"), WARNING, 1.12)
    pen.x += 1.1 * pen.size


def _write_unsure(pen: _Pen, answer: Answer) -> None:
    """Write on lines of its own why the answer may well be wrong."""
    if answer.unsure is not None:
        for line in _wrapped(f"unsure: {answer.unsure}", pen.font(0.9), pen.room):
            pen.break_line(1.7)
            pen.text(line, WARNING, 0.9)


def _write_key(pen: _Pen, answer: Answer, references: int) -> None:
    """Explain the marks that need it: hatching, where some is drawn, and references."""
    visible, hidden = _parts(answer)
    if hidden:
        for words in ["visible", "hidden"] if visible else ["hidden"]:
            pen.need(1.6 * pen.size + pen.font(0.9).getlength(words))
            _paint_swatch(pen, hatched=words == "hidden")
            pen.text(words, FAINT, 0.9)
            pen.x += pen.size
    for i in range(1, references + 1):
        name = f"[{i}]" if i < references else f"[{i}] reference" + "s" * (references > 1)
        pen.need(pen.font(0.9).getlength(name))
        pen.text(name, FAINT, 0.9)
        pen.x += 0.35 * pen.size


def _parts(answer: Answer) -> tuple[bool, bool]:
    """Whether the answer has visible pixels and whether it has hidden ones."""
    pairs = list(zip(answer.masks, answer.modal, strict=True))
    visible = any(bool((mask & modal).any()) for mask, modal in pairs)
    return visible, any(bool((mask & ~modal).any()) for mask, modal in pairs)


def _paint_swatch(pen: _Pen, *, hatched: bool) -> None:
    """Paint a little sample of the fill or of the hatching, and move on."""
    side = round(1.2 * pen.size)
    sample = np.full((side, side, 3), RULE, np.uint8)
    stripes = hatch((side, side), period=0.42 * pen.size, width=0.16 * pen.size)
    blend(sample, FAINT, 0.9 * stripes if hatched else np.full((side, side), 0.75))
    shape = Image.new("L", (side, side), 0)
    ImageDraw.Draw(shape).rounded_rectangle((0, 0, side - 1, side - 1), side / 5, fill=255)
    pen.sheet.paste(Image.fromarray(sample), (round(pen.x), round(pen.y)), shape)
    pen.x += 1.6 * pen.size


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
