"""What is cooked, baked or caught, and its milk and honey."""

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
    ORANGE,
    PINK,
    RED,
    SKY,
    TAN,
    WHITE,
    YELLOW,
)

__all__ = ["DRAWINGS"]


_HEXAGON = ((0.0, -1.0), (0.87, -0.5), (0.87, 0.5), (0.0, 1.0), (-0.87, 0.5), (-0.87, -0.5))


def _fish(pen: Pen, y: float = 0.5, scale: float = 1.0, fill: Colour = BLUE) -> None:
    pen.shape([(0.7, y), (0.98, y - 0.26 * scale), (0.98, y + 0.26 * scale)], fill)
    pen.oval(0.42, y, 0.4, 0.26 * scale, fill)
    pen.oval(0.42, y + 0.1 * scale, 0.34, 0.13 * scale, SKY)
    pen.dot(0.2, y - 0.06 * scale, 0.055 * scale, WHITE)
    pen.dot(0.2, y - 0.06 * scale, 0.03 * scale, BLACK)
    pen.arc(0.3, y, 0.06, 0.18 * scale, (-70, 70), 0.025 * scale, WHITE)


def _sardines(pen: Pen) -> None:
    for y in (0.2, 0.5, 0.8):
        _fish(pen, y, 0.55, (90, 120, 160))


def _honey(pen: Pen) -> None:
    for x, y in ((0.26, 0.32), (0.62, 0.32), (0.44, 0.62), (0.8, 0.62)):
        points = [(x + dx * 0.19, y + dy * 0.19) for dx, dy in _HEXAGON]
        pen.shape(points, AMBER)
        pen.shape([(x + (a - x) * 0.72, y + (b - y) * 0.72) for a, b in points], YELLOW)
    pen.oval(0.44, 0.42, 0.11, 0.17, SKY, -35)
    pen.oval(0.62, 0.42, 0.11, 0.17, SKY, 35)
    pen.oval(0.53, 0.66, 0.26, 0.18, YELLOW)
    for x in (0.45, 0.57, 0.69):
        pen.line([(x, 0.54), (x, 0.78)], 0.06, BLACK)
    pen.dot(0.28, 0.64, 0.11, BLACK)


def _cow(pen: Pen) -> None:
    pen.oval(0.14, 0.36, 0.15, 0.08, BLACK, 20)
    pen.oval(0.86, 0.36, 0.15, 0.08, PINK, -20)
    pen.line([(0.3, 0.2), (0.24, 0.06)], 0.07, TAN)
    pen.line([(0.7, 0.2), (0.76, 0.06)], 0.07, TAN)
    pen.bar(0.22, 0.14, 0.78, 0.8, WHITE, 0.22)
    pen.oval(0.34, 0.34, 0.13, 0.2, BLACK)
    pen.dot(0.35, 0.42, 0.05, WHITE)
    pen.dot(0.65, 0.42, 0.05, BLACK)
    pen.oval(0.5, 0.76, 0.33, 0.2, PINK)
    pen.oval(0.38, 0.74, 0.04, 0.06, DARK_RED)
    pen.oval(0.62, 0.74, 0.04, 0.06, DARK_RED)


def _bowl(pen: Pen, fill: Colour) -> None:
    pen.slice(0.5, 0.5, 0.46, (0, 180), fill)
    pen.bar(0.34, 0.9, 0.66, 0.98, fill, 0.02)


def _cereal(pen: Pen) -> None:
    pen.oval(0.5, 0.48, 0.44, 0.16, WHITE)
    for x, y in ((0.24, 0.4), (0.42, 0.28), (0.62, 0.34), (0.78, 0.44), (0.5, 0.46)):
        pen.dot(x, y, 0.11, AMBER)
        pen.dot(x, y, 0.045, CREAM)
    _bowl(pen, RED)


def _rice(pen: Pen) -> None:
    pen.line([(0.5, 0.3), (0.95, 0.04)], 0.035, COCOA)
    pen.line([(0.58, 0.36), (0.98, 0.16)], 0.035, COCOA)
    pen.slice(0.5, 0.52, 0.4, (180, 360), WHITE)
    for x, y in ((0.3, 0.42), (0.42, 0.28), (0.56, 0.36), (0.68, 0.44), (0.46, 0.44), (0.6, 0.24)):
        pen.oval(x, y, 0.045, 0.018, GREY, x * 200)
    _bowl(pen, BLUE)


def _cookie(pen: Pen) -> None:
    pen.dot(0.5, 0.5, 0.45, TAN)
    spots = ((0.3, 0.3), (0.6, 0.26), (0.75, 0.5), (0.48, 0.52), (0.26, 0.6), (0.58, 0.76))
    for x, y in spots:
        pen.dot(x, y, 0.08, COCOA)


def _cracker(pen: Pen) -> None:
    pen.bar(0.08, 0.08, 0.92, 0.92, (235, 180, 90), 0.08)
    pen.bar(0.15, 0.15, 0.85, 0.85, (250, 212, 135), 0.05)
    for x in (0.28, 0.5, 0.72):
        for y in (0.28, 0.5, 0.72):
            pen.dot(x, y, 0.045, BROWN)


def _pasta(pen: Pen) -> None:
    pen.shape(
        [(0.04, 0.2), (0.5, 0.42), (0.96, 0.2), (0.96, 0.8), (0.5, 0.58), (0.04, 0.8)], YELLOW
    )
    for y in (0.3, 0.42, 0.58, 0.7):
        pen.line([(0.1, y), (0.42, 0.46 + y * 0.08)], 0.02, AMBER)
        pen.line([(0.9, y), (0.58, 0.46 + y * 0.08)], 0.02, AMBER)
    pen.bar(0.43, 0.37, 0.57, 0.63, AMBER, 0.05)


def _chocolate(pen: Pen) -> None:
    pen.bar(0.16, 0.04, 0.84, 0.96, COCOA, 0.04)
    for x in (0.22, 0.53):
        for y in (0.1, 0.39, 0.68):
            pen.bar(x, y, x + 0.25, y + 0.22, BROWN, 0.02)


def _butter(pen: Pen) -> None:
    pen.shape([(0.06, 0.44), (0.3, 0.24), (0.94, 0.34), (0.72, 0.56)], CREAM)
    pen.shape([(0.06, 0.44), (0.72, 0.56), (0.72, 0.84), (0.06, 0.7)], YELLOW)
    pen.shape([(0.72, 0.56), (0.94, 0.34), (0.94, 0.6), (0.72, 0.84)], AMBER)
    pen.line([(0.24, 0.48), (0.24, 0.72)], 0.02, AMBER)


def _cake(pen: Pen) -> None:
    pen.shape([(0.06, 0.4), (0.62, 0.2), (0.94, 0.4)], PINK)
    pen.bar(0.06, 0.4, 0.94, 0.9, (240, 200, 120))
    pen.bar(0.06, 0.4, 0.94, 0.5, PINK)
    pen.bar(0.06, 0.64, 0.94, 0.72, RED)
    pen.dot(0.55, 0.2, 0.12, RED)


def _waffle(pen: Pen) -> None:
    pen.bar(0.06, 0.06, 0.94, 0.94, AMBER, 0.16)
    for x in (0.14, 0.33, 0.52, 0.71):
        for y in (0.14, 0.33, 0.52, 0.71):
            pen.bar(x, y, x + 0.15, y + 0.15, BROWN, 0.02)
    pen.bar(0.36, 0.3, 0.66, 0.56, YELLOW, 0.04)


def _pizza(pen: Pen) -> None:
    pen.shape([(0.04, 0.2), (0.5, 0.08), (0.96, 0.2), (0.5, 0.98)], AMBER)
    pen.shape([(0.12, 0.28), (0.5, 0.2), (0.88, 0.28), (0.5, 0.92)], YELLOW)
    for x, y in ((0.34, 0.36), (0.64, 0.36), (0.5, 0.58)):
        pen.dot(x, y, 0.1, RED)
    pen.leaf(0.42, 0.48, 0.16, 20, GREEN)


def _fish_fingers(pen: Pen) -> None:
    _fish(pen, 0.26, 0.85)
    for x in (0.06, 0.38, 0.7):
        pen.bar(x, 0.56, x + 0.24, 0.98, ORANGE, 0.05)
        pen.bar(x + 0.04, 0.6, x + 0.1, 0.94, YELLOW, 0.02)


def _eggs(pen: Pen) -> None:
    pen.oval(0.3, 0.44, 0.22, 0.3, CREAM)
    pen.oval(0.7, 0.44, 0.22, 0.3, (235, 190, 140))
    pen.oval(0.5, 0.6, 0.25, 0.34, WHITE)
    pen.oval(0.42, 0.46, 0.05, 0.09, SKY, 20)


def _chips(pen: Pen) -> None:
    for x, y, turn in ((0.4, 0.32, -25), (0.62, 0.5, 20), (0.4, 0.72, -8)):
        pen.oval(x, y, 0.36, 0.2, YELLOW, turn)
        pen.oval(x, y + 0.02, 0.26, 0.1, AMBER, turn)


def _hot_dog(pen: Pen) -> None:
    pen.line([(0.2, 0.74), (0.74, 0.2)], 0.42, (235, 170, 80))
    pen.line([(0.14, 0.84), (0.84, 0.14)], 0.22, (170, 60, 40))
    wave = [(0.2 + 0.1 * i, 0.8 - 0.1 * i + (0.05 if i % 2 else -0.05)) for i in range(7)]
    pen.line(wave, 0.07, YELLOW)


def _pudding(pen: Pen) -> None:
    pen.oval(0.5, 0.88, 0.48, 0.1, WHITE)
    pen.shape([(0.28, 0.28), (0.72, 0.28), (0.86, 0.88), (0.14, 0.88)], YELLOW)
    pen.shape(
        [
            (0.28, 0.28),
            (0.72, 0.28),
            (0.78, 0.5),
            (0.64, 0.44),
            (0.5, 0.54),
            (0.36, 0.44),
            (0.22, 0.5),
        ],
        BROWN,
    )
    pen.oval(0.5, 0.28, 0.22, 0.07, (165, 100, 50))


def _ice_cream(pen: Pen) -> None:
    pen.shape([(0.24, 0.5), (0.76, 0.5), (0.5, 1.0)], TAN)
    pen.line([(0.36, 0.56), (0.58, 0.8)], 0.02, BROWN)
    pen.line([(0.64, 0.56), (0.42, 0.8)], 0.02, BROWN)
    pen.dot(0.33, 0.42, 0.2, PINK)
    pen.dot(0.67, 0.42, 0.2, COCOA)
    pen.dot(0.5, 0.24, 0.22, CREAM)
    pen.dot(0.5, 0.06, 0.06, RED)


def _popcorn(pen: Pen) -> None:
    pops = ((0.26, 0.32), (0.5, 0.28), (0.74, 0.32), (0.38, 0.16), (0.62, 0.14))
    for x, y in pops:
        pen.dot(x, y, 0.14, CREAM)
        pen.dot(x + 0.03, y + 0.03, 0.05, YELLOW)
    pen.shape([(0.12, 0.4), (0.88, 0.4), (0.76, 0.98), (0.24, 0.98)], WHITE)
    for left in (0.12, 0.425, 0.73):
        low = 0.24 + (left - 0.12) * 0.684
        pen.shape([(left, 0.4), (left + 0.15, 0.4), (low + 0.103, 0.98), (low, 0.98)], RED)


def _salt(pen: Pen) -> None:
    pen.shape([(0.32, 0.3), (0.68, 0.3), (0.78, 0.94), (0.22, 0.94)], SKY)
    pen.shape([(0.28, 0.6), (0.72, 0.6), (0.78, 0.94), (0.22, 0.94)], WHITE)
    pen.slice(0.5, 0.3, 0.22, (180, 360), GREY)
    for x in (0.42, 0.5, 0.58):
        pen.dot(x, 0.2, 0.025, BLACK)


def _fried_egg(pen: Pen) -> None:
    for x, y, radius in ((0.4, 0.42, 0.32), (0.64, 0.5, 0.3), (0.44, 0.66, 0.28)):
        pen.dot(x, y, radius, WHITE)
    pen.dot(0.5, 0.5, 0.2, YELLOW)
    pen.oval(0.44, 0.44, 0.06, 0.04, CREAM, -40)


def _bread(pen: Pen) -> None:
    pen.bar(0.14, 0.24, 0.86, 0.96, TAN, 0.06)
    pen.oval(0.3, 0.28, 0.24, 0.2, TAN)
    pen.oval(0.7, 0.28, 0.24, 0.2, TAN)
    pen.bar(0.24, 0.3, 0.76, 0.84, COCOA, 0.14)
    pen.arc(0.5, 0.56, 0.16, 0.12, (180, 420), 0.05, BROWN)


def _sushi(pen: Pen) -> None:
    for x, y, core in ((0.3, 0.64, RED), (0.7, 0.64, ORANGE), (0.5, 0.32, GREEN)):
        pen.dot(x, y, 0.26, BLACK)
        pen.dot(x, y, 0.2, WHITE)
        pen.dot(x, y, 0.1, core)


DRAWINGS = (
    _fish,
    _sardines,
    _honey,
    _cow,
    _cereal,
    _rice,
    _cookie,
    _cracker,
    _pasta,
    _chocolate,
    _butter,
    _cake,
    _waffle,
    _pizza,
    _fish_fingers,
    _eggs,
    _chips,
    _hot_dog,
    _pudding,
    _ice_cream,
    _popcorn,
    _salt,
    _fried_egg,
    _bread,
    _sushi,
)
