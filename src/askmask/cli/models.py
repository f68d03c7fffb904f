"""`askmask models`: what can be asked for by name, and what is missing for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

__all__ = ["models"]

_OWN = {
    "embedded-v1": ("proposer, completer, selector", "the model that ships with askmask"),
    "completer-v1": ("completer", "completes any mask; ships with askmask"),
    "convex-hull": ("completer", "fills the convex hull of each mask"),
    "none": ("completer", "leaves masks as they are"),
}
_ELSEWHERE = {
    "file:PATH": ("proposer", "masks that are in a COCO json"),
    "openai:MODEL@URL": ("selector", "asks a model of any OpenAI-compatible server"),
    "anthropic:MODEL": ("selector", "asks a model by Anthropic's API"),
}


def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table of docs/hub-models.md.")
    ] = False,
) -> None:
    """List models by name; --model takes one, or PROPOSER+COMPLETER+SELECTOR."""
    from askmask.models.hub.catalog import markdown

    if as_markdown:
        typer.echo(markdown())
    elif as_json:
        typer.echo(json.dumps({"models": list(_rows())}))
    else:
        _print(list(_rows()))


def _rows() -> Iterator[dict[str, Any]]:
    """One object a model, in the order in which they are shown."""
    from askmask.models.hub.catalog import CATALOG, PRESETS
    from askmask.models.hub.machine import missing

    for name, (stages, does) in {**_OWN, **_ELSEWHERE}.items():
        yield {"name": name, "stages": stages, "does": does}
    for name, preset in PRESETS.items():
        yield {
            "name": f"hub:{name}",
            "stages": "proposer, completer, selector",
            "does": preset.does,
            "parts": preset.parts,
            "smaller": None if preset.smaller is None else f"hub:{preset.smaller}",
        }
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
            "smaller": None if model.smaller is None else f"hub:{model.smaller}",
            "missing": list(missing(model)),
        }


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("name", "stages", "parameters", "GB fp32 / bf16", "licence", "what it does"):
        table.add_column(title)
    for row in rows:
        memory = row.get("memory_gb")
        lacks = (
            f"\n[yellow]{escape('; '.join(row['missing']))}[/yellow]" if row.get("missing") else ""
        )
        gated = " [yellow]gated[/yellow]" if row.get("gated") else ""
        table.add_row(
            escape(row["name"]),
            row["stages"],
            f"{row['parameters'] / 1e6:,.0f} M" if memory else "",
            f"{memory['float32']} / {memory['bfloat16']}" if memory else "",
            escape(row.get("licence", "")) + gated,
            escape(row.get("parts") or row["does"]) + lacks,
        )
    Console(highlight=False).print(table)
