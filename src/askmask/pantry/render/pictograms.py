"""What is in the package, drawn in a few strokes: big, plain and different from one another."""

from __future__ import annotations

from PIL import Image

from askmask.pantry.render.pen import Colour, Pen

__all__ = ["PICTOGRAMS", "pictogram"]

RED, DARK_RED = (216, 30, 36), (140, 14, 24)
ORANGE, AMBER = (247, 138, 24), (222, 140, 20)
YELLOW, CREAM = (252, 210, 40), (252, 238, 200)
GREEN, LEAF, LIME = (40, 140, 56), (70, 170, 60), (170, 205, 60)
BLUE, SKY = (32, 96, 200), (130, 200, 245)
PURPLE, PINK = (110, 40, 150), (245, 130, 170)
BROWN, TAN, COCOA = (130, 76, 36), (220, 170, 100), (80, 44, 24)
BLACK, WHITE, GREY = (34, 32, 34), (255, 255, 255), (150, 155, 162)


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


_HEXAGON = ((0.0, -1.0), (0.87, -0.5), (0.87, 0.5), (0.0, 1.0), (-0.87, 0.5), (-0.87, -0.5))


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


def _tea(pen: Pen) -> None:
    pen.arc(0.74, 0.6, 0.18, 0.14, (-90, 90), 0.06, GREEN)
    pen.bar(0.12, 0.4, 0.76, 0.6, WHITE, 0.02)
    pen.slice(0.44, 0.56, 0.32, (0, 180), WHITE)
    pen.leaf(0.3, 0.74, 0.34, -40, LEAF)
    pen.oval(0.44, 0.94, 0.42, 0.05, GREEN)
    for x in (0.32, 0.54):
        pen.line([(x, 0.3), (x + 0.05, 0.2), (x, 0.1)], 0.045, GREY)


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


def _chips(pen: Pen) -> None:
    for x, y, turn in ((0.4, 0.32, -25), (0.62, 0.5, 20), (0.4, 0.72, -8)):
        pen.oval(x, y, 0.36, 0.2, YELLOW, turn)
        pen.oval(x, y + 0.02, 0.26, 0.1, AMBER, turn)


def _hot_dog(pen: Pen) -> None:
    pen.line([(0.2, 0.74), (0.74, 0.2)], 0.42, (235, 170, 80))
    pen.line([(0.14, 0.84), (0.84, 0.14)], 0.22, (170, 60, 40))
    wave = [(0.2 + 0.1 * i, 0.8 - 0.1 * i + (0.05 if i % 2 else -0.05)) for i in range(7)]
    pen.line(wave, 0.07, YELLOW)


def _grapes(pen: Pen) -> None:
    pen.leaf(0.5, 0.22, 0.42, -35, GREEN)
    pen.line([(0.5, 0.3), (0.46, 0.04)], 0.05, BROWN)
    rows = ((0.32, 4), (0.5, 3), (0.68, 2), (0.85, 1))
    for y, count in rows:
        for index in range(count):
            x = 0.5 + (index - (count - 1) / 2) * 0.22
            pen.dot(x, y, 0.125, PURPLE)
            pen.dot(x - 0.04, y - 0.04, 0.035, (190, 140, 215))


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


def _berries(pen: Pen) -> None:
    for x, y in ((0.3, 0.64), (0.7, 0.66), (0.5, 0.34)):
        pen.dot(x, y, 0.25, (60, 70, 160))
        pen.dot(x, y - 0.07, 0.09, (30, 34, 90))
        pen.dot(x - 0.1, y - 0.1, 0.045, (150, 165, 230))
    pen.leaf(0.64, 0.2, 0.34, -20, LEAF)


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


def _salt(pen: Pen) -> None:
    pen.shape([(0.32, 0.3), (0.68, 0.3), (0.78, 0.94), (0.22, 0.94)], SKY)
    pen.shape([(0.28, 0.6), (0.72, 0.6), (0.78, 0.94), (0.22, 0.94)], WHITE)
    pen.slice(0.5, 0.3, 0.22, (180, 360), GREY)
    for x in (0.42, 0.5, 0.58):
        pen.dot(x, 0.2, 0.025, BLACK)


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


def _chilli(pen: Pen) -> None:
    pen.shape(
        [(0.3, 0.24), (0.56, 0.2), (0.72, 0.46), (0.76, 0.96), (0.46, 0.76), (0.28, 0.48)], RED
    )
    pen.oval(0.44, 0.34, 0.18, 0.2, RED)
    pen.oval(0.4, 0.4, 0.04, 0.13, (255, 120, 110), -12)
    pen.line([(0.4, 0.18), (0.3, 0.03)], 0.07, GREEN)
    pen.oval(0.42, 0.2, 0.16, 0.07, GREEN)


def _sushi(pen: Pen) -> None:
    for x, y, core in ((0.3, 0.64, RED), (0.7, 0.64, ORANGE), (0.5, 0.32, GREEN)):
        pen.dot(x, y, 0.26, BLACK)
        pen.dot(x, y, 0.2, WHITE)
        pen.dot(x, y, 0.1, core)


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


_DRAWINGS = (
    _tomato,
    _beans,
    _corn,
    _pineapple,
    _peach,
    _fish,
    _sardines,
    _olives,
    _cherries,
    _strawberry,
    _honey,
    _peanut,
    _pickle,
    _orange,
    _lemon,
    _apple,
    _cow,
    _grain,
    _coconut,
    _cereal,
    _rice,
    _cookie,
    _cracker,
    _pasta,
    _tea,
    _chocolate,
    _butter,
    _cake,
    _waffle,
    _pizza,
    _fish_fingers,
    _eggs,
    _soap,
    _plaster,
    _cola,
    _soda,
    _drop,
    _chips,
    _hot_dog,
    _grapes,
    _hair,
    _shirt,
    _berries,
    _pudding,
    _ice_cream,
    _popcorn,
    _lightning,
    _salt,
    _coffee,
    _beer,
    _wine,
    _cat,
    _bone,
    _fried_egg,
    _bread,
    _chilli,
    _sushi,
    _match,
    _crayons,
    _mushroom,
    _maple,
)

PICTOGRAMS = {draw.__name__.removeprefix("_"): draw for draw in _DRAWINGS}
"""Name -> strokes."""


def pictogram(name: str, border: Colour = WHITE) -> Image.Image:
    """RGBA sticker of pictogram `name`, cropped, outlined in `border`."""
    pen = Pen()
    PICTOGRAMS[name](pen)
    return pen.sticker(border)
