"""Inks of the pictograms, red, green and blue each."""

__all__ = [
    "AMBER",
    "BLACK",
    "BLUE",
    "BROWN",
    "COCOA",
    "CREAM",
    "DARK_RED",
    "GREEN",
    "GREY",
    "LEAF",
    "LIME",
    "ORANGE",
    "PINK",
    "PURPLE",
    "RED",
    "SKY",
    "TAN",
    "WHITE",
    "YELLOW",
]

RED, DARK_RED = (216, 30, 36), (140, 14, 24)
ORANGE, AMBER = (247, 138, 24), (222, 140, 20)
YELLOW, CREAM = (252, 210, 40), (252, 238, 200)
GREEN, LEAF, LIME = (40, 140, 56), (70, 170, 60), (170, 205, 60)
BLUE, SKY = (32, 96, 200), (130, 200, 245)
PURPLE, PINK = (110, 40, 150), (245, 130, 170)
BROWN, TAN, COCOA = (130, 76, 36), (220, 170, 100), (80, 44, 24)
BLACK, WHITE, GREY = (34, 32, 34), (255, 255, 255), (150, 155, 162)
