"""Fruit, vegetables, grain and what else grows."""

from __future__ import annotations

from askmask.pantry.render.pen import Colour, Pen
from askmask.pantry.render.pictograms.colours import (
    AMBER,
    BROWN,
    COCOA,
    CREAM,
    DARK_RED,
    GREEN,
    LEAF,
    LIME,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    TAN,
    WHITE,
    YELLOW,
)

__all__ = ["DRAWINGS"]


def _tomato(pen: Pen) -> None:
    pen.oval(0.5, 0.56, 0.44, 0.38, RED)
    pen.oval(0.34, 0.44, 0.1, 0.07, (245, 110, 100), -30)
    for turn in (-160, -125, -90, -55, -20):
        pen.leaf(0.5, 0.26, 0.26, turn + 180 if turn in (-160, -20) else turn, GREEN)


def _bean(pen: Pen, x: float, y: float, turn: float) -> None:
    pen.oval(x, y, 0.25, 0.15, DARK_RED, turn)
    pen.oval(x - 0.04, y - 0.05, 0.1, 0.035, (200, 90, 90), turn)


def _beans(pen: Pen) -> None:
    _bean(pen, 0.32, 0.3, -30)
    _bean(pen, 0.68, 0.42, 40)
    _bean(pen, 0.4, 0.74, 10)


def _corn(pen: Pen) -> None:
    pen.oval(0.5, 0.42, 0.2, 0.4, YELLOW)
    for row in range(9):
        for column in range(-2, 3):
            if abs(column) * 0.08 < 0.21 - abs(row - 4) * 0.03:
                pen.dot(0.5 + column * 0.075, 0.1 + row * 0.08, 0.03, AMBER)
    pen.leaf(0.5, 0.98, 0.7, -125, LEAF)
    pen.leaf(0.5, 0.98, 0.7, -55, GREEN)


def _pineapple(pen: Pen) -> None:
    for turn in (-150, -120, -90, -60, -30):
        pen.leaf(0.5, 0.42, 0.42, turn, GREEN)
    pen.oval(0.5, 0.66, 0.27, 0.33, AMBER)
    for row, half in ((0.46, 0.12), (0.56, 0.18), (0.66, 0.2), (0.76, 0.18), (0.86, 0.12)):
        for x in (0.5 - half, 0.5, 0.5 + half):
            pen.shape([(x - 0.06, row), (x, row - 0.04), (x + 0.06, row), (x, row + 0.04)], BROWN)


def _peach(pen: Pen) -> None:
    pen.oval(0.5, 0.56, 0.42, 0.4, (255, 170, 90))
    pen.oval(0.64, 0.58, 0.26, 0.34, (250, 120, 90))
    pen.arc(0.62, 0.56, 0.16, 0.38, (120, 240), 0.03, (215, 90, 60))
    pen.leaf(0.5, 0.2, 0.4, -20, GREEN)


def _olives(pen: Pen) -> None:
    pen.line([(0.3, 0.4), (0.55, 0.08), (0.7, 0.45)], 0.04, BROWN)
    pen.leaf(0.55, 0.1, 0.42, 5, LEAF)
    pen.oval(0.3, 0.62, 0.23, 0.3, (110, 130, 30), 10)
    pen.oval(0.72, 0.66, 0.22, 0.28, (90, 110, 24), -10)
    pen.dot(0.3, 0.82, 0.07, RED)
    pen.dot(0.71, 0.84, 0.065, RED)


def _cherries(pen: Pen) -> None:
    pen.line([(0.28, 0.66), (0.42, 0.3), (0.6, 0.08)], 0.04, GREEN)
    pen.line([(0.74, 0.66), (0.68, 0.34), (0.6, 0.08)], 0.04, GREEN)
    pen.leaf(0.6, 0.1, 0.36, 15, LEAF)
    for x in (0.27, 0.74):
        pen.dot(x, 0.74, 0.22, DARK_RED)
        pen.dot(x - 0.07, 0.67, 0.05, (235, 130, 130))


def _strawberry(pen: Pen) -> None:
    pen.oval(0.34, 0.42, 0.26, 0.22, RED)
    pen.oval(0.66, 0.42, 0.26, 0.22, RED)
    pen.shape([(0.09, 0.48), (0.91, 0.48), (0.6, 0.94), (0.5, 0.98), (0.4, 0.94)], RED)
    for x, y in ((0.3, 0.45), (0.5, 0.5), (0.7, 0.45), (0.4, 0.65), (0.6, 0.65), (0.5, 0.8)):
        pen.oval(x, y, 0.022, 0.036, YELLOW)
    for turn in (-165, -130, -90, -50, -15):
        pen.leaf(0.5, 0.3, 0.3, turn, GREEN)


def _peanut(pen: Pen) -> None:
    pen.dot(0.34, 0.32, 0.26, TAN)
    pen.dot(0.66, 0.68, 0.29, TAN)
    pen.shape([(0.5, 0.2), (0.84, 0.52), (0.52, 0.86), (0.16, 0.48)], TAN)
    for x, y in ((0.26, 0.24), (0.42, 0.3), (0.3, 0.42), (0.56, 0.58), (0.74, 0.62), (0.62, 0.8)):
        pen.oval(x, y, 0.07, 0.025, BROWN, 45)


def _pickle(pen: Pen) -> None:
    pen.line([(0.22, 0.76), (0.5, 0.54), (0.74, 0.2)], 0.34, (80, 130, 40))
    for x, y in ((0.2, 0.68), (0.36, 0.74), (0.46, 0.52), (0.62, 0.52), (0.62, 0.3), (0.78, 0.26)):
        pen.dot(x, y, 0.04, LIME)


def _citrus(pen: Pen, rind: Colour, flesh: Colour) -> None:
    pen.dot(0.5, 0.52, 0.45, rind)
    pen.dot(0.5, 0.52, 0.39, CREAM)
    for start in range(0, 360, 45):
        pen.slice(0.5, 0.52, 0.36, (start + 3, start + 42), flesh)


def _orange(pen: Pen) -> None:
    _citrus(pen, ORANGE, (255, 165, 50))


def _lemon(pen: Pen) -> None:
    _citrus(pen, (245, 200, 20), (255, 228, 90))
    pen.leaf(0.5, 0.14, 0.42, -15, LEAF)


def _apple(pen: Pen) -> None:
    pen.oval(0.35, 0.58, 0.28, 0.36, LIME)
    pen.oval(0.65, 0.58, 0.28, 0.36, LIME)
    pen.oval(0.26, 0.46, 0.06, 0.1, (225, 240, 150), 20)
    pen.line([(0.5, 0.3), (0.54, 0.06)], 0.05, BROWN)
    pen.leaf(0.53, 0.2, 0.36, -20, GREEN)


def _grain(pen: Pen) -> None:
    pen.line([(0.5, 0.98), (0.5, 0.3)], 0.04, BROWN)
    pen.leaf(0.5, 0.34, 0.32, -90, AMBER)
    for y in (0.42, 0.58, 0.74):
        pen.leaf(0.5, y, 0.36, -140, AMBER)
        pen.leaf(0.5, y, 0.36, -40, TAN)


def _coconut(pen: Pen) -> None:
    pen.dot(0.5, 0.5, 0.46, COCOA)
    pen.oval(0.5, 0.44, 0.37, 0.33, WHITE)
    pen.oval(0.5, 0.47, 0.26, 0.22, SKY)


def _grapes(pen: Pen) -> None:
    pen.leaf(0.5, 0.22, 0.42, -35, GREEN)
    pen.line([(0.5, 0.3), (0.46, 0.04)], 0.05, BROWN)
    rows = ((0.32, 4), (0.5, 3), (0.68, 2), (0.85, 1))
    for y, count in rows:
        for index in range(count):
            x = 0.5 + (index - (count - 1) / 2) * 0.22
            pen.dot(x, y, 0.125, PURPLE)
            pen.dot(x - 0.04, y - 0.04, 0.035, (190, 140, 215))


def _berries(pen: Pen) -> None:
    for x, y in ((0.3, 0.64), (0.7, 0.66), (0.5, 0.34)):
        pen.dot(x, y, 0.25, (60, 70, 160))
        pen.dot(x, y - 0.07, 0.09, (30, 34, 90))
        pen.dot(x - 0.1, y - 0.1, 0.045, (150, 165, 230))
    pen.leaf(0.64, 0.2, 0.34, -20, LEAF)


def _chilli(pen: Pen) -> None:
    pen.shape(
        [(0.3, 0.24), (0.56, 0.2), (0.72, 0.46), (0.76, 0.96), (0.46, 0.76), (0.28, 0.48)], RED
    )
    pen.oval(0.44, 0.34, 0.18, 0.2, RED)
    pen.oval(0.4, 0.4, 0.04, 0.13, (255, 120, 110), -12)
    pen.line([(0.4, 0.18), (0.3, 0.03)], 0.07, GREEN)
    pen.oval(0.42, 0.2, 0.16, 0.07, GREEN)


def _mushroom(pen: Pen) -> None:
    pen.bar(0.36, 0.46, 0.64, 0.96, CREAM, 0.1)
    pen.slice(0.5, 0.54, 0.46, (180, 360), (190, 120, 70))
    pen.oval(0.5, 0.54, 0.46, 0.08, TAN)
    for x, y in ((0.32, 0.34), (0.56, 0.22), (0.7, 0.4)):
        pen.dot(x, y, 0.06, CREAM)


def _maple(pen: Pen) -> None:
    right = (
        *((0.58, 0.2), (0.68, 0.16), (0.64, 0.4), (0.78, 0.3), (0.82, 0.38), (0.98, 0.36)),
        *((0.9, 0.52), (0.94, 0.58), (0.7, 0.74), (0.72, 0.82), (0.53, 0.78)),
    )
    left = [(1 - x, y) for x, y in reversed(right)]
    pen.shape([(0.5, 0.02), *right, *left], RED)
    pen.line([(0.5, 0.5), (0.5, 0.97)], 0.04, RED)


DRAWINGS = (
    _tomato,
    _beans,
    _corn,
    _pineapple,
    _peach,
    _olives,
    _cherries,
    _strawberry,
    _peanut,
    _pickle,
    _orange,
    _lemon,
    _apple,
    _grain,
    _coconut,
    _grapes,
    _berries,
    _chilli,
    _mushroom,
    _maple,
)
