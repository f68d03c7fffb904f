"""What readers of other codes' results must know of the queries: ids, sizes and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from askmask.errors import DataError
from askmask.formats.fields import Fields
from askmask.formats.files import iter_jsonl
from askmask.formats.records import QueryRecord

__all__ = ["Asked", "read_asked"]

_SHOWN_IDS = 3
"""Ids that a message names."""


@dataclass(frozen=True)
class Asked:
    """The queries that results are for.

    Attributes:
        path: queries file, for messages.
        size_hw: height and width of the picture, by query id.
        image: path of the picture, by query id.
    """

    path: str
    size_hw: Mapping[str, tuple[int, int]]
    image: Mapping[str, str]

    @cached_property
    def _by_picture(self) -> dict[str, list[str]]:
        """Ids by the picture's file name without what stands after its first or last dot."""
        ids: dict[str, list[str]] = {}
        for query, image in self.image.items():
            name = PurePosixPath(image)
            for key in {name.stem, name.name.partition(".")[0]}:
                ids.setdefault(key, []).append(query)
        return ids

    def find(self, name: str) -> str | None:
        """Return the query id that `name` is, as it stands or percent-encoded; None for none."""
        return next((one for one in (name, unquote(name)) if one in self.size_hw), None)

    def named(self, name: str, where: str) -> str:
        """Return the query id that `name` is, or raise DataError naming `where`."""
        found = self.find(name)
        if found is None:
            known = ", ".join(repr(one) for one in [*self.size_hw][:_SHOWN_IDS])
            raise DataError(
                f"{where}: expected the id of a query in {self.path} ({known}, …), got {name!r}; "
                "were these results made for other queries?"
            )
        return found

    def pictured(self, name: str, where: str) -> str:
        """Return the query that `name` is the id of, or else the one query about that picture.

        Raises:
            DataError: when there is none, or when several ask about the picture.
        """
        ids = self._by_picture.get(name, [])
        if self.find(name) is None and len(ids) > 1:
            raise DataError(
                f"{where}: {len(ids):,} queries ask about the picture {name!r} "
                f"({', '.join(ids[:_SHOWN_IDS])}, …); name each result by its query id"
            )
        return ids[0] if self.find(name) is None and ids else self.named(name, where)

    def check_size(self, query: str, size_hw: tuple[int, int], where: str) -> None:
        """Refuse a mask of another size than the query's picture.

        Raises:
            DataError: naming `where` and both sizes.
        """
        if size_hw != self.size_hw[query]:
            raise DataError(
                f"{where}: expected height and width {[*self.size_hw[query]]} as in query "
                f"{query!r}, got {[*size_hw]}; give masks in the picture's size"
            )


def read_asked(path: str | Path) -> Asked:
    """Read ids, sizes and pictures of a queries file; its masks are not looked at.

    Raises:
        DataError: naming file, line and key.
    """
    size_hw: dict[str, tuple[int, int]] = {}
    image: dict[str, str] = {}
    for number, line in iter_jsonl(path):
        fields = Fields(line, f"{path}:{number}", QueryRecord.KEYS)
        query = fields.name("id")
        size_hw[query] = fields.integer("height", 1), fields.integer("width", 1)
        image[query] = fields.name("image")
    return Asked(str(path), size_hw, image)
