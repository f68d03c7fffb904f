"""Drinks and what a household needs."""

from __future__ import annotations

from askmask.pantry.render.pen import Colour, Pen
from askmask.pantry.render.pictograms.colours import (
    AMBER,
    BLACK,
    BLUE,
    BROWN,
    COCOA,
    CREAM,
    DARK_RED,
    GREEN,
    GREY,
    LEAF,
    LIME,
    ORANGE,
    PINK,
    RED,
    SKY,
    TAN,
    WHITE,
    YELLOW,
)

__all__ = ["DRAWINGS"]


def _tea(pen: Pen) -> None:
    pen.arc(0.74, 0.6, 0.18, 0.14, (-90, 90), 0.06, GREEN)
    pen.bar(0.12, 0.4, 0.76, 0.6, WHITE, 0.02)
    pen.slice(0.44, 0.56, 0.32, (0, 180), WHITE)
    pen.leaf(0.3, 0.74, 0.34, -40, LEAF)
    pen.oval(0.44, 0.94, 0.42, 0.05, GREEN)
    for x in (0.32, 0.54):
        pen.line([(x, 0.3), (x + 0.05, 0.2), (x, 0.1)], 0.045, GREY)


def _soap(pen: Pen) -> None:
    pen.bar(0.04, 0.44, 0.9, 0.92, PINK, 0.16)
    pen.bar(0.14, 0.54, 0.8, 0.82, (255, 175, 205), 0.1)
    for x, y, radius in ((0.7, 0.3, 0.17), (0.42, 0.24, 0.12), (0.9, 0.12, 0.09)):
        pen.dot(x, y, radius, SKY)
        pen.dot(x - radius * 0.3, y - radius * 0.3, radius * 0.3, WHITE)


def _plaster(pen: Pen) -> None:
    pen.line([(0.2, 0.8), (0.8, 0.2)], 0.3, (235, 175, 125))
    pen.line([(0.2, 0.2), (0.8, 0.8)], 0.3, (245, 195, 150))
    pen.shape([(0.5, 0.28), (0.72, 0.5), (0.5, 0.72), (0.28, 0.5)], CREAM)
    for x, y in ((0.5, 0.4), (0.4, 0.5), (0.6, 0.5), (0.5, 0.6)):
        pen.dot(x, y, 0.03, BROWN)


def _glass(pen: Pen, drink: Colour, straw: Colour) -> None:
    pen.line([(0.56, 0.5), (0.7, 0.04), (0.88, 0.04)], 0.06, straw)
    pen.shape([(0.16, 0.2), (0.84, 0.2), (0.72, 0.98), (0.28, 0.98)], SKY)
    pen.shape([(0.2, 0.32), (0.8, 0.32), (0.7, 0.94), (0.3, 0.94)], drink)
    for x, y in ((0.36, 0.46), (0.56, 0.56), (0.42, 0.7), (0.6, 0.8), (0.64, 0.42)):
        pen.dot(x, y, 0.045, WHITE)


def _cola(pen: Pen) -> None:
    _glass(pen, COCOA, RED)


def _soda(pen: Pen) -> None:
    _glass(pen, ORANGE, GREEN)


def _drop(pen: Pen) -> None:
    pen.dot(0.5, 0.66, 0.32, BLUE)
    pen.shape([(0.5, 0.02), (0.79, 0.54), (0.21, 0.54)], BLUE)
    pen.oval(0.38, 0.7, 0.07, 0.13, SKY, 20)


def _hair(pen: Pen) -> None:
    pen.dot(0.5, 0.46, 0.36, COCOA)
    pen.bar(0.14, 0.46, 0.86, 0.98, COCOA, 0.12)
    pen.oval(0.5, 0.54, 0.22, 0.28, (250, 205, 165))
    pen.slice(0.5, 0.44, 0.24, (180, 360), COCOA)
    for x, y, radius in ((0.3, 0.14, 0.13), (0.54, 0.1, 0.15), (0.76, 0.18, 0.11)):
        pen.dot(x, y, radius, SKY)
    pen.dot(0.42, 0.52, 0.03, BLACK)
    pen.dot(0.58, 0.52, 0.03, BLACK)
    pen.arc(0.5, 0.64, 0.08, 0.05, (0, 180), 0.025, RED)


def _shirt(pen: Pen) -> None:
    pen.shape(
        [
            *((0.3, 0.1), (0.7, 0.1), (0.98, 0.34), (0.84, 0.52), (0.74, 0.44), (0.74, 0.94)),
            *((0.26, 0.94), (0.26, 0.44), (0.16, 0.52), (0.02, 0.34)),
        ],
        SKY,
    )
    pen.oval(0.5, 0.1, 0.13, 0.09, WHITE)
    for turn in range(0, 180, 45):
        x, y = {0: (0.16, 0.0), 45: (0.1, 0.1), 90: (0.0, 0.16), 135: (-0.1, 0.1)}[turn]
        pen.line([(0.5 - x, 0.58 - y), (0.5 + x, 0.58 + y)], 0.05, YELLOW)


def _lightning(pen: Pen) -> None:
    pen.shape(
        [
            (0.6, 0.0),
            (0.16, 0.58),
            (0.44, 0.58),
            (0.32, 1.0),
            (0.86, 0.38),
            (0.56, 0.38),
            (0.74, 0.0),
        ],
        YELLOW,
    )


def _coffee(pen: Pen) -> None:
    for x, y, turn in ((0.34, 0.38, 60), (0.68, 0.62, 35)):
        pen.oval(x, y, 0.34, 0.24, COCOA, turn)
        pen.oval(x, y, 0.3, 0.035, TAN, turn + 8)


def _beer(pen: Pen) -> None:
    pen.arc(0.72, 0.58, 0.2, 0.2, (-90, 90), 0.09, SKY)
    pen.bar(0.16, 0.26, 0.72, 0.96, AMBER, 0.05)
    for x in (0.28, 0.44, 0.6):
        pen.line([(x, 0.5), (x, 0.86)], 0.045, YELLOW)
    for x in (0.2, 0.36, 0.52, 0.68):
        pen.dot(x, 0.24, 0.14, WHITE)


def _wine(pen: Pen) -> None:
    pen.oval(0.5, 0.34, 0.3, 0.34, SKY)
    pen.slice(0.5, 0.34, 0.29, (0, 180), DARK_RED)
    pen.bar(0.47, 0.62, 0.53, 0.94, GREY)
    pen.oval(0.5, 0.95, 0.24, 0.05, GREY)


def _cat(pen: Pen) -> None:
    for side in (-1, 1):
        pen.shape(
            [(0.5 + side * 0.4, 0.06), (0.5 + side * 0.42, 0.5), (0.5 + side * 0.08, 0.3)], ORANGE
        )
    pen.oval(0.5, 0.58, 0.43, 0.37, ORANGE)
    pen.oval(0.5, 0.74, 0.2, 0.15, CREAM)
    for side in (-1, 1):
        pen.oval(0.5 + side * 0.18, 0.5, 0.07, 0.09, LIME)
        pen.oval(0.5 + side * 0.18, 0.5, 0.025, 0.08, BLACK)
        pen.line([(0.5 + side * 0.14, 0.74), (0.5 + side * 0.42, 0.68)], 0.018, BLACK)
    pen.shape([(0.43, 0.66), (0.57, 0.66), (0.5, 0.74)], PINK)


def _bone(pen: Pen) -> None:
    pen.line([(0.26, 0.74), (0.74, 0.26)], 0.2, CREAM)
    for x, y in ((0.16, 0.68), (0.32, 0.84), (0.68, 0.16), (0.84, 0.32)):
        pen.dot(x, y, 0.15, CREAM)
    pen.dot(0.5, 0.5, 0.05, TAN)


def _match(pen: Pen) -> None:
    pen.line([(0.2, 0.96), (0.54, 0.46)], 0.08, TAN)
    pen.dot(0.6, 0.4, 0.24, ORANGE)
    pen.shape([(0.38, 0.34), (0.72, 0.0), (0.83, 0.36)], ORANGE)
    pen.dot(0.6, 0.44, 0.14, YELLOW)
    pen.dot(0.56, 0.46, 0.07, RED)


def _crayons(pen: Pen) -> None:
    for x, fill in ((0.04, RED), (0.29, YELLOW), (0.54, BLUE), (0.79, GREEN)):
        pen.shape([(x + 0.03, 0.26), (x + 0.075, 0.04), (x + 0.125, 0.04), (x + 0.17, 0.26)], fill)
        pen.bar(x, 0.26, x + 0.2, 0.98, fill)
        pen.bar(x, 0.4, x + 0.2, 0.46, BLACK)
        pen.bar(x, 0.8, x + 0.2, 0.86, BLACK)


DRAWINGS = (
    _tea,
    _soap,
    _plaster,
    _cola,
    _soda,
    _drop,
    _hair,
    _shirt,
    _lightning,
    _coffee,
    _beer,
    _wine,
    _cat,
    _bone,
    _match,
    _crayons,
)
