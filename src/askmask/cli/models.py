"""`askmask models`: what can be asked for by name, and what is missing for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Annotated, Any

import typer

__all__ = ["models"]

_ALL = "proposer, completer, selector"

_OTHERS = {
    "embedded-v1": (_ALL, "the model that ships with askmask"),
    "completer-v1": ("completer", "completes any mask; ships with askmask"),
    "convex-hull": ("completer", "fills the convex hull of each mask"),
    "none": ("completer", "leaves masks as they are"),
    "file:PATH": ("proposer", "masks in a COCO json"),
    "openai:MODEL@URL": ("selector", "asks a model of any OpenAI-compatible server"),
    "anthropic:MODEL": ("selector", "asks a model by Anthropic's API"),
}
"""Name -> stages and what it does, of what is not on the hub."""

_KEYS = (
    "name",
    "stages",
    "does",
    "parts",
    "repository",
    "revision",
    "licence",
    "gated",
    "parameters",
    "memory_gb",
    "smaller",
    "missing",
)


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table of docs/hub-models.md.")
    ] = False,
) -> None:
    """List models by name: --model takes a whole one, or PROPOSER+COMPLETER+SELECTOR.

    Of models of the hub: parameters, memory in float32 and bfloat16, licence, what is missing.
    """
    from askmask.models.hub.catalog import markdown

    if as_markdown:
        typer.echo(markdown())
    elif as_json:
        typer.echo(json.dumps({"models": list(_rows())}))
    else:
        _print()


def _rows() -> Iterator[dict[str, Any]]:
    """One object a model, all with the same keys, in the order in which they are shown."""
    for row in (*_others(), *_whole(), *_parts()):
        yield {key: row.get(key) for key in _KEYS}


def _others() -> Iterator[dict[str, Any]]:
    for name, (stages, does) in _OTHERS.items():
        yield {"name": name, "stages": stages, "does": does}


def _whole() -> Iterator[dict[str, Any]]:
    from askmask.models.hub.catalog import PRESETS

    for name, preset in PRESETS.items():
        yield {
            "name": f"hub:{name}",
            "stages": _ALL,
            "does": preset.does,
            "parts": preset.parts,
            "smaller": preset.smaller and f"hub:{preset.smaller}",
        }


def _parts() -> Iterator[dict[str, Any]]:
    from askmask.models.hub.catalog import CATALOG
    from askmask.models.hub.machine import missing

    for name, model in CATALOG.items():
        yield {
            "name": f"hub:{name}",
            "stages": model.stage,
            "does": model.does,
            "repository": model.repository,
            "revision": model.revision,
            "licence": model.licence,
            "gated": model.gated,
            "parameters": round(model.millions * 1e6),
            "memory_gb": {
                dtype: round(model.memory_gb(dtype), 1) for dtype in ("float32", "bfloat16")
            },
            "smaller": model.smaller and f"hub:{model.smaller}",
            "missing": list(missing(model)),
        }


def _print() -> None:
    """Three lists: whole models, parts of other kinds, and parts of the hub by what they do."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)

    def show(title: str, rows: Iterable[Sequence[str]]) -> None:
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        for row in rows:
            if not table.columns:
                for _ in row[:-1]:
                    table.add_column(no_wrap=True)
            table.add_row(*map(escape, row))
        console.print(f"[bold]{escape(title)}[/bold]")
        console.print(table)
        console.print()

    whole = [row for row in (*_others(), *_whole()) if row["stages"] == _ALL]
    show("whole models", ((row["name"], row["does"]) for row in whole))
    show("parts", ((row["name"], row["stages"], row["does"]) for row in _others()))
    for (stage, does), rows in groupby(_parts(), key=lambda row: (row["stages"], row["does"])):
        show(f"{stage}s: {does}", map(_cells, rows))


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Name, size, memory, licence, and what is missing."""
    memory = row["memory_gb"]
    return (
        row["name"],
        f"{row['parameters'] / 1e6:,.0f} M",
        f"{memory['float32']} / {memory['bfloat16']} GB",
        row["licence"],
        "; ".join(row["missing"]) or "ready",
    )
