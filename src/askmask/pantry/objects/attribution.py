"""Credits for the models that pictures are made of."""

from __future__ import annotations

from collections.abc import Iterable

from askmask.pantry.objects.asset import OWN, Asset

__all__ = ["attribution"]

_LINKS = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-3.0": "https://creativecommons.org/licenses/by/3.0/",
    "CC-BY-3.0-US": "https://creativecommons.org/licenses/by/3.0/us/",
}

_HEAD = """# Attribution

The pictures show 3D models by the people below, from the furniture sets of Sweet Home 3D
(Emmanuel Puybaret / eTeks, https://www.sweethome3d.com; Debian package
`sweethome3d-furniture`). The models were scaled, their materials simplified and some
transparent parts made opaque. Packages and produce are the askmask authors' own.

| look | title | creator | licence |
|---|---|---|---|
"""


def attribution(assets: Iterable[Asset]) -> str:
    """Write the Markdown page that credits every asset made by others, in their order."""
    rows = []
    for asset in assets:
        source = asset.source
        if source.origin != OWN.origin:
            licence = f"[{source.licence}]({_LINKS[source.licence]})"
            cells = (asset.look, source.title, source.creator, licence)
            rows.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n")
    return _HEAD + "".join(rows)
