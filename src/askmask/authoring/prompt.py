"""What a language model is told once, and what it is asked about each picture."""

from __future__ import annotations

from functools import cache
from importlib import resources

from askmask.authoring.picture import AnnotatedPicture, Instance

__all__ = ["instructions", "message"]


@cache
def instructions() -> str:
    """The rules, the same for every picture, so that servers can keep them cached."""
    return (resources.files(__package__) / "data" / "instructions.md").read_text("utf-8")


def _hidden(one: Instance, picture: AnnotatedPicture) -> str:
    """How much of an instance is hidden, and by which numbered instances."""
    if not one.is_occluded:
        return "fully visible"
    numbers = [picture.number_of.get(id) for id in one.entity.occluded_by]
    in_front = ", ".join(f"[{number}]" for number in numbers if number is not None)
    return f"{one.hidden_share:.0%} hidden".replace("%", " %") + (in_front and f", by {in_front}")


def message(picture: AnnotatedPicture, modal: int, amodal: int) -> str:
    """List the instances of a picture and ask for so many questions of each kind."""
    lines = []
    for one in picture.instances:
        x0, y0, x1, y1 = one.box_xyxy
        place = f"visible from ({x0}, {y0}) to ({x1}, {y1})"
        lines.append(f"[{one.number}] {one.entity.category}; {place}; {_hidden(one, picture)}")
    size = f"{picture.record.width} x {picture.record.height} pixels"
    wish = f"Write {modal} modal and {amodal} amodal questions."
    if not amodal:
        wish = f"Write {modal} modal questions and no amodal ones, as nothing here is hidden."
    return "\n".join([f"The list, for a picture of {size}:", "", *lines, "", wish])
