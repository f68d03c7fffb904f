"""`askmask mask-type`: which mask does a sentence ask for?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

__all__ = ["mask_type"]

_BATCH = 256  # sentences to a model call; bounds memory on long inputs


def mask_type(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TEXT]...", help="Sentences; without any, one a line on stdin."),
    ] = None,
    model: Annotated[str, typer.Option(metavar="ID", help="Model.")] = "embedded-v1",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Tell for each TEXT whether it asks for the modal, the amodal or the hidden mask.

    Prints sentence, mask type and its probability, separated by tabs.
    """
    if not text and sys.stdin.isatty():
        raise typer.BadParameter("give sentences as arguments, or one a line on standard input")
    sentences = list(_arguments(text) if text else _stdin_lines())
    from askmask.models.registry import load_mask_typer

    typer_model = load_mask_typer(model)
    for start in range(0, len(sentences), _BATCH):
        batch = sentences[start : start + _BATCH]
        for sentence, probability in zip(batch, typer_model.mask_types(batch), strict=True):
            chosen = max(probability, key=lambda kind: probability[kind])
            if as_json:
                shares = {str(kind): round(share, 6) for kind, share in probability.items()}
                answer = {"text": sentence, "mask_type": chosen, "mask_type_probability": shares}
                typer.echo(json.dumps(answer))
            else:
                typer.echo(f"{' '.join(sentence.split())}\t{chosen}\t{probability[chosen]:.3f}")


def _arguments(texts: list[str]) -> Iterator[str]:
    from askmask.types import check_sentence

    for number, text in enumerate(texts, 1):
        yield check_sentence(text, f"argument {number}")


def _stdin_lines() -> Iterator[str]:
    from askmask.errors import QueryError
    from askmask.types import check_sentence

    number = 0
    for number, line in enumerate(sys.stdin.buffer, 1):
        where = f"standard input, line {number}"
        yield check_sentence(line.decode("utf-8", "surrogateescape").rstrip("\r\n"), where)
    if not number:
        raise QueryError("standard input has no lines: give one sentence a line")
