"""The meaning of a pattern, read from text such as `and(category(N),left_of(ref(1)))`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from askmask.errors import DataError

__all__ = [
    "OPERATIONS",
    "SELECTORS",
    "Argument",
    "Expression",
    "parse",
    "says_partly_hidden",
    "target_children",
]

_OPERATIONS = (
    "scene ref category class function attribute has_part part_of the all any count and or not "
    "except same_category_as same_colour_as same_material_as same_shape_kind_as left_of right_of "
    "above below in_front_of behind between adjacent_to on larger_than smaller_than taller_than "
    "leftmost rightmost topmost bottommost nearest_to_camera farthest_from_camera nearest_to "
    "farthest_from nth_from_left nth_from_right largest smallest tallest widest thinnest roundest "
    "most_hidden occluding occluded_by unoccluded touching_frame"
)

_SELECTORS = (
    "leftmost rightmost topmost bottommost nearest_to_camera farthest_from_camera nearest_to "
    "farthest_from nth_from_left nth_from_right largest smallest tallest widest thinnest roundest "
    "most_hidden"
)
_MODES = "height image depth contact both visible real"

OPERATIONS = frozenset(_OPERATIONS.split())
"""The closed set of operations."""

SELECTORS = frozenset(_SELECTORS.split())
"""Operations that pick from candidates."""

_TOKEN = re.compile(r"\s*([A-Za-z_]\w*|\d+|[(),=])")

Argument: TypeAlias = "Expression | str | int"
"""A nested expression, a slot, or a number."""

MODES = frozenset(_MODES.split())
"""Words that choose a reading of an operation."""


@dataclass(frozen=True)
class Expression:
    """One operation with its arguments.

    Attributes:
        op: member of `OPERATIONS`.
        args: positional arguments.
        mode: which reading of the operation, or "".
        k: how many a selector picks.
    """

    op: str
    args: tuple[Argument, ...] = ()
    mode: str = ""
    k: int = 1

    def __str__(self) -> str:
        parts = [str(arg) for arg in self.args] + ([self.mode] if self.mode else [])
        parts += [f"k={self.k}"] if self.k != 1 else []
        return f"{self.op}({','.join(parts)})"

    @property
    def children(self) -> tuple[Expression, ...]:
        """The arguments that are expressions."""
        return tuple(arg for arg in self.args if isinstance(arg, Expression))

    def walk(self) -> Iterator[Expression]:
        """Yield this expression and all below it, outermost first."""
        yield self
        for child in self.children:
            yield from child.walk()


class _Reader:
    """Recursive descent over the tokens of one meaning."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        position = 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if match is None:
                raise self.error(f"unexpected character {text[position]!r} at {position}")
            self.tokens.append(match[1])
            position = match.end()
        self.tokens.append("")
        self.next = 0

    def error(self, problem: str) -> DataError:
        return DataError(f"meaning {self.text!r}: {problem}")

    def take(self, expected: str | None = None) -> str:
        token = self.tokens[self.next]
        if expected is not None and token != expected:
            raise self.error(f"expected {expected or 'the end'!r}, got {token or 'the end'!r}")
        self.next += 1
        return token

    def expression(self) -> Expression:
        op = self.take()
        if op not in OPERATIONS:
            raise self.error(f"unknown operation {op or 'the end'!r}")
        self.take("(")
        args: list[Argument] = []
        mode, k = "", 1
        while self.tokens[self.next] != ")":
            if args or mode or k != 1:
                self.take(",")
            if self.tokens[self.next] in MODES:
                mode = self.take()
            elif self.tokens[self.next : self.next + 2] == ["k", "="]:
                self.next += 2
                k = self.number()
            else:
                args.append(self.argument())
        self.take(")")
        return Expression(op, tuple(args), mode, k)

    def argument(self) -> Argument:
        token = self.tokens[self.next]
        if token.isdigit():
            return self.number()
        if self.tokens[self.next + 1] == "(":
            return self.expression()
        if not token.isidentifier():
            raise self.error(f"expected an argument, got {token or 'the end'!r}")
        return self.take()

    def number(self) -> int:
        token = self.take()
        if not token.isdigit():
            raise self.error(f"expected a number, got {token or 'the end'!r}")
        return int(token)


def parse(text: str) -> Expression:
    """Read a meaning.

    Raises:
        DataError: when an operation is unknown or brackets and commas do not fit.
    """
    reader = _Reader(text)
    expression = reader.expression()
    reader.take("")
    return expression


def says_partly_hidden(expression: Expression) -> bool:
    """Whether the pattern itself says of its targets that they are partly hidden.

    In a frame that names no mask type such a pattern asks for amodal masks.
    """
    if expression.op in ("occluded_by", "most_hidden"):
        return True
    if expression.op == "not":
        return expression.children[0].op == "unoccluded"
    return any(says_partly_hidden(child) for child in target_children(expression))


def target_children(expression: Expression) -> tuple[Expression, ...]:
    """The arguments that stand for targets, not for anchors."""
    if expression.op in ("and", "or", "all", "any", "the", "count"):
        return expression.children
    if expression.op == "except":
        return expression.children[:1]
    if expression.op in SELECTORS:
        return expression.children[-1:]
    return ()
