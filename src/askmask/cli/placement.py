"""Options of commands that may load models of the hub: where they compute, and what judges cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from askmask.models.hub.loading import DEVICES, DTYPES

if TYPE_CHECKING:
    from askmask.llm.chat import Price
    from askmask.models.segmenter import Segmenter

__all__ = ["Device", "Dtype", "FourBit", "PriceOption", "parse_price", "print_cost"]

_PANEL = "Models of the hub and servers"


def _one_of(known: Sequence[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in known:
            raise typer.BadParameter(f"expected one of {', '.join(known)}, got {value!r}")
        return value

    return check


Device: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="|".join(DEVICES),
        callback=_one_of(DEVICES),
        help="Where to compute; auto: a GPU if there is one.",
        rich_help_panel=_PANEL,
    ),
]
Dtype: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="|".join(DTYPES),
        callback=_one_of(DTYPES),
        help="Precision; auto: bfloat16 on a GPU.",
        rich_help_panel=_PANEL,
    ),
]
FourBit: TypeAlias = Annotated[
    bool,
    typer.Option("--four-bit", help="Hold language models in four bits.", rich_help_panel=_PANEL),
]
PriceOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--price",
        metavar="IN,OUT",
        help="Dollars a million input and output tokens of a server, to print what it cost.",
        rich_help_panel=_PANEL,
    ),
]


def parse_price(text: str | None, discount: float = 1.0) -> Price | None:
    """Read "3,15".

    Raises:
        ConfigError: when it is something else.
    """
    from askmask.errors import ConfigError
    from askmask.llm.chat import Price

    if text is None:
        return None
    try:
        given, taken = (float(part) for part in text.split(","))
    except ValueError:
        given = taken = -1.0
    if not (0 <= given < float("inf") and 0 <= taken < float("inf")):
        raise ConfigError(
            f"--price: expected dollars a million input and output tokens as 3,15, got {text!r}"
        )
    return Price(given, taken, discount=discount)


def print_cost(segmenter: Segmenter, price: Price | None) -> None:
    """Say on stderr what a server was asked for; nothing where none was."""
    from askmask.llm.chat import Usage
    from askmask.models.segmenter import Metered

    if not isinstance(segmenter, Metered) or segmenter.usage == Usage():
        return
    usage = segmenter.usage
    given = usage.input_tokens + usage.cache_write_tokens + usage.cache_read_tokens
    dollars = "" if price is None else f", ${price.of(usage):,.4f}"
    typer.echo(
        f"spent: {given:,} input and {usage.output_tokens:,} output tokens{dollars}", err=True
    )
