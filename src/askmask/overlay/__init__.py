"""A picture of an answer: what fits the sentence, drawn so that a person can check it."""

from askmask.overlay.draw import draw_answer, draw_masks

__all__ = ["draw_answer", "draw_masks"]
