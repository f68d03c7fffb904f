"""The data card of a built split, written from what is in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from askmask.pantry.splits.definition import Split

__all__ = ["card"]

_CASTS = {
    "seen": "things that training may show",
    "held-out looks": "known things, and among them looks that training never shows; every "
    "sentence asks for one of these",
    "held-out categories": "known things, and among them categories that training never shows; "
    "every sentence asks for one of these",
}


def card(
    split: Split, source: str, scenes: int, queries: int, shares: Mapping[str, Mapping[str, Any]]
) -> str:
    """Write the card in Markdown.

    Args:
        split: what was built.
        source: the command that made the folder.
        scenes: number of pictures.
        queries: number of queries.
        shares: family -> name -> {"wanted", "reached", "n"}.
    """
    last = split.seeds.stop - 1
    return f"""# pantry-{split.name}: {split.about}

{queries:,} queries about {scenes:,} scenes rendered in 3D, with exact modal and amodal masks.

| | |
|---|---|
| made by | `{source}` |
| scenes | seeds {split.first_seed} to {last}; camera {split.view + 1} of {split.cameras} |
| things | {_CASTS[split.cast]} |
| surfaces | {"held out of training" if split.new_surfaces else "those of training"} |
| wordings | pool "{split.pool}"; the pools of training and test share none |
| licence | pictures, masks and sentences CC BY 4.0; 3D models as in ATTRIBUTION.md |
| files | `entities-{split.name}.jsonl`, `queries-{split.name}.jsonl`, `images/`, hashes of all in \
`checksums.json` |

Every amodal query has a modal twin (tag `twin:ID`). Queries tagged `sgdr` cannot be answered by
common sense: each target has a distractor of its own category in the picture.

## Balance

Shares of all queries; `reasoning` and `sgdr` overlap, and `occlusion` leaves out queries without
target.

| family | kind | wanted | reached | queries |
|---|---|---|---|---|
{_rows(shares)}

## Limits

Rendered groceries and household things on tables, on shelves and in piles; English sentences put
together from {"training" if split.pool == "train" else "test"} wordings by a grammar. Good figures
here say little about photographs.
"""


def _rows(shares: Mapping[str, Mapping[str, Any]]) -> str:
    return "\n".join(
        f"| {family} | {name} | {row['wanted']:.2f} | {row['reached']:.3f} | {row['n']:,} |"
        for family, names in shares.items()
        for name, row in names.items()
    )
